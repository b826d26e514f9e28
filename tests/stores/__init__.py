"""Stores on real servers, which the fixtures start on this machine, on free ports, and stop again."""
