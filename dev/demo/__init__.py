"""dev/demo"""
