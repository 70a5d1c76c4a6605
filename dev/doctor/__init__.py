"""dev/doctor"""
