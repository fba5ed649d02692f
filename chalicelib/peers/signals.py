"""Signals between two peers of one room: who may send what to whom."""
