"""Knows who somebody is: sessions, an OpenID provider, one-question links."""
