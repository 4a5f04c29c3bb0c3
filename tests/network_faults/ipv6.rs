//! A dead IPv6 address beside a live IPv4 one.
