"""dev/host"""
