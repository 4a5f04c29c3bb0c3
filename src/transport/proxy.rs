//! An HTTP proxy that is asked for a tunnel (CONNECT).

use std::{
    io::{Read, Write},
    net::TcpStream,
    time::Instant,
};

use ureq::http::Uri;

use super::{TransportFault, dial::Timed, fault::unreached};
use crate::{
    error::{Code, ErrorInfo},
    redact::Secret,
};

/// Longest answer to a CONNECT.
const ANSWER_BYTES_MAX: usize = 8 << 10;

/// Where the proxy is and how we sign in to it.
pub(super) struct Proxy {
    pub(super) host: String,
    pub(super) port: u16,
    authorization: Option<Secret>,
}

impl Proxy {
    /// `[http://][user:password@]host[:port]`; port 80 unless it is given.
    pub(super) fn parse(text: &str) -> Result<Proxy, ErrorInfo> {
        let refused = || ErrorInfo::new(Code::InvalidArgument, "The proxy is not http://[user:password@]host[:port].");
        let uri: Uri = text.parse().map_err(|_| refused())?;
        if uri.scheme_str().is_some_and(|scheme| scheme != "http") {
            return Err(refused());
        }
        let authority = uri.authority().ok_or_else(refused)?;
        let host = bare(authority.host());
        if host.is_empty() {
            return Err(refused());
        }
        let authorization = match authority.as_str().rsplit_once('@') {
            Some((user, _)) => Some(basic(user).ok_or_else(refused)?),
            None => None,
        };
        Ok(Proxy { host: host.to_owned(), port: authority.port_u16().unwrap_or(80), authorization })
    }

    /// Asks the proxy for a way to `host:port`.
    pub(super) fn tunnel(
        &self,
        socket: &TcpStream,
        target: &str,
        user_agent: &str,
        until: Instant,
    ) -> Result<(), TransportFault> {
        let mut text = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\nUser-Agent: {user_agent}\r\n");
        if let Some(authorization) = &self.authorization {
            text += "Proxy-Authorization: Basic ";
            text += authorization.expose();
            text += "\r\n";
        }
        let text = Secret::new(text + "\r\n");
        let mut socket = Timed::until(socket, until);
        let broke = |_| unreached(Code::ProxyFailed, "The proxy did not answer.");
        socket.write_all(text.expose().as_bytes()).map_err(broke)?;
        let mut answer = Vec::new();
        // One byte at a time: what follows the blank line belongs to the tunnel.
        while !answer.ends_with(b"\r\n\r\n") {
            let mut byte = [0];
            if answer.len() == ANSWER_BYTES_MAX || socket.read(&mut byte).map_err(broke)? == 0 {
                return Err(unreached(Code::ProxyFailed, "The proxy's answer was not understood."));
            }
            answer.push(byte[0]);
        }
        match answer.get(..12) {
            Some(head) if head.starts_with(b"HTTP/1.") && head.ends_with(b" 200") => Ok(()),
            _ => Err(unreached(Code::ProxyFailed, "The proxy refused the way to the service.")),
        }
    }
}

/// A host without the brackets of an IPv6 address.
pub(super) fn bare(host: &str) -> &str {
    host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host)
}

fn basic(user: &str) -> Option<Secret> {
    let (name, password) = user.split_once(':').unwrap_or((user, ""));
    let decoded = |text| percent_encoding::percent_decode_str(text).decode_utf8().ok();
    Some(Secret::new(base64(format!("{}:{}", decoded(name)?, decoded(password)?).as_bytes())))
}

fn base64(bytes: &[u8]) -> String {
    const LETTERS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let bits = chunk.iter().fold(0u32, |bits, byte| bits << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        for at in 0..4 {
            text.push(if at <= chunk.len() { LETTERS[(bits >> (18 - 6 * at) & 63) as usize] as char } else { '=' });
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_pads() {
        assert_eq!(base64(b"Aladdin:open sesame"), "QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
        assert_eq!(base64(b"ab"), "YWI=");
        assert_eq!(base64(b"abc"), "YWJj");
    }

    #[test]
    fn a_proxy_is_http_and_has_a_host() {
        let proxy = Proxy::parse("http://a%40b:c@[::1]:3128").expect("a proxy");
        assert_eq!((proxy.host.as_str(), proxy.port), ("::1", 3128));
        assert_eq!(proxy.authorization.expect("a user").expose(), base64(b"a@b:c"));
        assert_eq!(Proxy::parse("host:3128").expect("no scheme").port, 3128);
        for bad in ["", "socks5://h:1", "https://h", "/path", "http://"] {
            assert_eq!(Proxy::parse(bad).err().map(|error| error.code), Some(Code::InvalidArgument), "{bad}");
        }
    }
}
