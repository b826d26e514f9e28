"""What happens to stores when writers race, servers fail and processes die: with real processes and real servers."""
