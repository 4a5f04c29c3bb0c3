//! The least that a library weighs which sends a body over HTTPS: ureq, rustls, and uniffi with the feature `mobile`. `cargo xtask dist` measures it.
#![cfg(feature = "https")]

use std::io::Read;

/// Sends a body and gives the status.
fn put(url: &str, body: &mut dyn Read, size_bytes: u64) -> Result<u16, ureq::Error> {
    let mut body = body;
    let agent: ureq::Agent = ureq::Agent::config_builder().http_status_as_error(false).build().into();
    let request = agent.put(url).header("content-length", size_bytes.to_string());
    Ok(request.send(ureq::SendBody::from_reader(&mut body))?.status().as_u16())
}

/// A body that a host gives.
struct Body(extern "C" fn(*mut u8, usize) -> usize);

impl Read for Body {
    fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
        Ok((self.0)(buf.as_mut_ptr(), buf.len()).min(buf.len()))
    }
}

/// The face for C: the status, or 0.
#[unsafe(no_mangle)]
pub extern "C" fn floor_put(port: u16, read: extern "C" fn(*mut u8, usize) -> usize, size_bytes: u64) -> u16 {
    let url = format!("https://localhost:{port}/");
    std::panic::catch_unwind(move || put(&url, &mut Body(read), size_bytes).unwrap_or(0)).unwrap_or(0)
}

#[cfg(feature = "mobile")]
uniffi::setup_scaffolding!("floor");

/// The face for Kotlin and Swift.
#[cfg(feature = "mobile")]
mod mobile {
    use std::{io::Read, sync::Arc};

    /// A body that a host gives.
    #[uniffi::export(foreign)]
    pub trait Body: Send + Sync {
        /// The next bytes.
        fn read(&self, size_bytes: u32) -> Vec<u8>;
    }

    struct Reader(Arc<dyn Body>);

    impl Read for Reader {
        fn read(&mut self, buf: &mut [u8]) -> std::io::Result<usize> {
            let bytes = self.0.read(u32::try_from(buf.len()).unwrap_or(u32::MAX));
            let size = bytes.len().min(buf.len());
            buf[..size].copy_from_slice(&bytes[..size]);
            Ok(size)
        }
    }

    /// The status, or 0.
    #[uniffi::export]
    pub fn put(url: String, body: Arc<dyn Body>, size_bytes: u64) -> u16 {
        super::put(&url, &mut Reader(body), size_bytes).unwrap_or(0)
    }
}
