"""stand-in"""

PAGE_HEADERS = {"Referrer-Policy": "no-referrer"}


def content_security_policy(html: str) -> str:
    return "default-src 'none'"
