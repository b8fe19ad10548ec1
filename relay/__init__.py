"""The webhook relay: takes Cronofy's notifications by HTTP and puts them on the queue, byte for byte."""
