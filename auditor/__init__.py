"""port-auditor: does what listens on a host, and what its kernel hands out, agree with policy?"""

__version__ = "0.1.0"
