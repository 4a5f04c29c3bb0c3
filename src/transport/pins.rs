//! Keys that a host pins: besides leading to a root, a service's certificates must hold one of them.

use std::sync::Arc;

use rustls::{
    CertificateError, DigitallySignedStruct, Error, RootCertStore, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    crypto::WebPkiSupportedAlgorithms,
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use sha2::{Digest, Sha256};
use webpki::{EndEntityCert, KeyUsage, VerifiedPath};

use crate::error::{Code, ErrorInfo};

/// The SHA-256 of a `SubjectPublicKeyInfo`.
type Pin = [u8; 32];

/// The usual verification, and then the pins. Only certificates of a path that was verified count: whoever adds a pinned one to a chain that does not need
/// it gains nothing.
#[derive(Debug)]
pub(super) struct Pinned {
    usual: Arc<WebPkiServerVerifier>,
    roots: Arc<RootCertStore>,
    algorithms: WebPkiSupportedAlgorithms,
    pins: Vec<Pin>,
}

impl Pinned {
    pub(super) fn new(
        usual: Arc<WebPkiServerVerifier>,
        roots: Arc<RootCertStore>,
        algorithms: WebPkiSupportedAlgorithms,
        pins: &[String],
    ) -> Result<Pinned, ErrorInfo> {
        let refused = || ErrorInfo::new(Code::InvalidArgument, "A pin is the SHA-256 of a key in base64 or hex.");
        let pins = pins.iter().map(|text| parse(text).ok_or_else(refused)).collect::<Result<_, _>>()?;
        Ok(Pinned { usual, roots, algorithms, pins })
    }

    fn holds_one(&self, path: &VerifiedPath<'_>) -> bool {
        let is_pinned = |spki: &[u8]| self.pins.contains(&Sha256::digest(spki).into());
        is_pinned(&path.end_entity().subject_public_key_info())
            || path.intermediate_certificates().any(|cert| is_pinned(&cert.subject_public_key_info()))
            || is_pinned(&sequence(path.anchor().subject_public_key_info.as_ref()))
    }
}

impl ServerCertVerifier for Pinned {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let verified = self.usual.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)?;
        let unpinned = || Error::InvalidCertificate(CertificateError::ApplicationVerificationFailure);
        let cert = EndEntityCert::try_from(end_entity).map_err(|_| unpinned())?;
        // A path without a pin is passed over: another may lead to another root.
        let holds = |path: &VerifiedPath<'_>| match self.holds_one(path) {
            true => Ok(()),
            false => Err(webpki::Error::UnknownIssuer),
        };
        cert.verify_for_usage(
            self.algorithms.all,
            &self.roots.roots,
            intermediates,
            now,
            KeyUsage::server_auth(),
            None,
            Some(&holds),
        )
        .map_err(|_| unpinned())?;
        Ok(verified)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls12_signature(message, cert, signed)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        signed: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.usual.verify_tls13_signature(message, cert, signed)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.usual.supported_verify_schemes()
    }
}

/// A trust anchor keeps what is inside of the sequence; a pin is of all of it.
fn sequence(content: &[u8]) -> Vec<u8> {
    let len = content.len();
    let mut der = vec![0x30];
    match len {
        0..0x80 => der.push(len as u8),
        0x80..0x100 => der.extend([0x81, len as u8]),
        // No key is longer than 64 KiB.
        _ => der.extend([0x82, (len >> 8) as u8, len as u8]),
    }
    der.extend_from_slice(content);
    der
}

/// `[sha256/]` and 44 characters of base64, or 64 of hex.
fn parse(text: &str) -> Option<Pin> {
    let text = text.strip_prefix("sha256/").unwrap_or(text);
    let bytes = if text.len() == 64 { of_hex(text)? } else { of_base64(text)? };
    bytes.try_into().ok()
}

fn of_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Vec<u8> = text.chars().map(|c| c.to_digit(16).map(|digit| digit as u8)).collect::<Option<_>>()?;
    Some(digits.chunks_exact(2).map(|pair| pair[0] << 4 | pair[1]).collect())
}

fn of_base64(text: &str) -> Option<Vec<u8>> {
    let text = text.strip_suffix('=').filter(|text| text.len() == 43)?;
    let (mut bits, mut count, mut bytes) = (0u32, 0, vec![]);
    for byte in text.bytes() {
        let digit = match byte {
            b'A'..=b'Z' => byte - b'A',
            b'a'..=b'z' => byte - b'a' + 26,
            b'0'..=b'9' => byte - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = bits << 6 | u32::from(digit);
        count += 6;
        if count >= 8 {
            count -= 8;
            bytes.push((bits >> count) as u8);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pins_in_both_spellings() {
        let hex = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        let base64 = "ungWv48Bz+pBQUDeXa4iI7ADYaOWF3qctBD/YfIAFa0=";
        assert_eq!(parse(hex), parse(base64));
        assert_eq!(parse(&format!("sha256/{base64}")).expect("a pin")[..2], [0xba, 0x78]);
        for bad in ["", "abc", &base64[1..], &hex[1..], &hex.replace('b', "g"), &base64.replace('+', "-")] {
            assert!(parse(bad).is_none(), "{bad}");
        }
    }
}
