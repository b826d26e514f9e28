"""Tools that work on whole stores: `convert` (other chunks, the other format), `ingestion` (long writing jobs) and
`doctor` (what is broken, and how to repair it). Each is a folder of its own, built on the book below.
"""
