//! HTTPS with a certificate authority that is made at start.

use std::io;
use std::net::IpAddr;

use tokio::net::TcpStream;

use crate::stream::Stream;

/// Makes TLS of a TCP connection.
#[derive(Clone)]
pub(crate) struct Acceptor {
    #[cfg(feature = "tls")]
    inner: tokio_rustls::TlsAcceptor,
    #[cfg(not(feature = "tls"))]
    never: std::convert::Infallible,
}

impl Acceptor {
    /// An acceptor and its authority in PEM.
    #[cfg(feature = "tls")]
    pub(crate) fn new(listen: IpAddr, host: Option<&str>) -> io::Result<(Self, String)> {
        use std::sync::Arc;

        use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};
        use tokio_rustls::rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
        use tokio_rustls::rustls::{ServerConfig, crypto};

        let authority_key = KeyPair::generate().map_err(io::Error::other)?;
        let mut authority = CertificateParams::new(Vec::new()).map_err(io::Error::other)?;
        authority.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        authority.distinguished_name.push(DnType::CommonName, "partway sandbox");
        let authority_cert = authority.self_signed(&authority_key).map_err(io::Error::other)?;

        let mut names = vec!["localhost".to_owned(), "127.0.0.1".to_owned(), "::1".to_owned()];
        names.extend(Some(listen.to_string()).into_iter().chain(host.map(str::to_owned)));
        names.sort();
        names.dedup();
        let key = KeyPair::generate().map_err(io::Error::other)?;
        let mut params = CertificateParams::new(names).map_err(io::Error::other)?;
        // Authorities of several sandboxes have the same name; who trusts them all must find the right one.
        params.use_authority_key_identifier_extension = true;
        let cert = params.signed_by(&key, &Issuer::new(authority, authority_key)).map_err(io::Error::other)?;

        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(key.serialize_der()));
        let config = ServerConfig::builder_with_provider(Arc::new(crypto::ring::default_provider()))
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(vec![cert.der().clone()], key))
            .map_err(io::Error::other)?;
        Ok((Self { inner: Arc::new(config).into() }, authority_cert.pem()))
    }

    #[cfg(not(feature = "tls"))]
    pub(crate) fn new(_: IpAddr, _: Option<&str>) -> io::Result<(Self, String)> {
        Err(io::Error::new(io::ErrorKind::Unsupported, "partway-sandbox was built without its feature `tls`"))
    }

    #[cfg(feature = "tls")]
    pub(crate) async fn accept(&self, tcp: TcpStream) -> io::Result<Stream> {
        Ok(Stream::Tls(Box::new(self.inner.accept(tcp).await?)))
    }

    #[cfg(not(feature = "tls"))]
    pub(crate) async fn accept(&self, _: TcpStream) -> io::Result<Stream> {
        match self.never {}
    }
}
