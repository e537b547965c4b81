//! TLS by rustls, blocking.

use super::{
    one_line,
    socket::{Pending, TimedSocket},
};
use once_cell::race::OnceBox;
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName, pem::PemObject},
};
use rustls_native_certs::{CertificateResult, load_native_certs};
use std::{
    io::{self, Read, Write},
    sync::Arc,
};

/// A TLS session on a socket with deadlines.
pub(super) type TlsStream = StreamOwned<ClientConnection, TimedSocket>;

/// The trusted authorities, and the identity of this client.
#[derive(Clone, Default)]
pub(crate) struct Tls {
    /// Certificates of authorities in PEM; those of the system where it is `None`.
    pub(crate) authorities: Option<Vec<u8>>,
    /// Our own certificates and key in PEM, if the server asks for them.
    pub(crate) identity: Option<(Vec<u8>, Vec<u8>)>,
    /// The name that certificates have to carry; that of the host where it is `None`.
    pub(crate) server_name: Option<String>,
    /// The configuration, made at first use: reading the authorities of the system takes a while. Clones
    /// share it, as the nodes of a cluster do.
    config: Arc<OnceBox<Arc<ClientConfig>>>,
}

/// The data of a TLS record, at most.
const RECORD: usize = 16 * 1024;
/// How often a peer may speak of the session itself between two operations.
const REMARKS: usize = 8;

/// Whether the session is open and the peer has sent no data without a request. It may
/// have sent tickets and the like: they are read, and the session goes on.
pub(super) fn is_idle(stream: &mut TlsStream) -> bool {
    drain_session(stream).unwrap_or(false)
}

/// Why reading or writing failed: where the peer ended the session and said why, that it refuses.
pub(super) fn reason(stream: &mut TlsStream, failed: io::Error) -> io::Error {
    match drain_session(stream) {
        Err(alert @ rustls::Error::AlertReceived(_)) => {
            io::Error::new(io::ErrorKind::ConnectionRefused, alert)
        }
        _ => failed,
    }
}

/// The error of a read: a refusal, if the peer ended the session with its reason.
#[cfg(feature = "tokio")]
pub(super) fn refusal(failed: io::Error) -> io::Error {
    let reason = failed.get_ref().and_then(|error| error.downcast_ref());
    match reason {
        Some(alert @ rustls::Error::AlertReceived(_)) => {
            io::Error::new(io::ErrorKind::ConnectionRefused, alert.clone())
        }
        _ => failed,
    }
}

/// Takes a part of `bytes` to send and returns its length; `None` where the peer says something first.
pub(super) fn write_or_peek(stream: &mut TlsStream, bytes: &[u8]) -> io::Result<Option<usize>> {
    if !flush_or_peek(stream)? {
        return Ok(None);
    }
    let part = &bytes[..bytes.len().min(RECORD)];
    let taken = stream.conn.writer().write(part)?;
    // An answer that comes first is heard by the next call.
    flush_or_peek(stream)?;
    Ok(Some(taken))
}

/// Sends the pending bytes of the session. `false` where the peer sends something first.
fn flush_or_peek(stream: &mut TlsStream) -> io::Result<bool> {
    while stream.conn.wants_write() {
        let written = stream.conn.write_tls(&mut stream.sock.without_wait());
        match written {
            Ok(_) => {}
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                // Records that hold no answer are read here.
                if !stream.sock.has_room()? && !drain_session(stream).unwrap_or(false) {
                    return Ok(false);
                }
            }
            Err(error) => return Err(reason(stream, error)),
        }
    }
    Ok(true)
}

/// Reads the bytes that have arrived, or waits for them.
pub(super) fn read(stream: &mut TlsStream, buffer: &mut [u8]) -> io::Result<usize> {
    // An answer that is there is read before anything is sent.
    match stream.conn.reader().read(buffer) {
        Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
            stream.read(buffer).map_err(|error| reason(stream, error))
        }
        read => read,
    }
}

/// Reads the bytes that have arrived, without waiting, except data. Whether there was no data.
fn drain_session(stream: &mut TlsStream) -> Result<bool, rustls::Error> {
    for _ in 0..REMARKS {
        let state = stream.conn.process_new_packets()?;
        if state.plaintext_bytes_to_read() > 0 || state.peer_has_closed() {
            return Ok(false);
        }
        match stream.sock.peek() {
            Pending::None => return Ok(true),
            Pending::End => return Ok(false),
            Pending::Bytes => {
                if stream.conn.read_tls(&mut stream.sock.at_hand()).is_err() {
                    return Ok(false);
                }
            }
        }
    }
    Ok(false)
}

impl PartialEq for Tls {
    /// By the settings alone.
    fn eq(&self, other: &Self) -> bool {
        self.authorities == other.authorities
            && self.identity == other.identity
            && self.server_name == other.server_name
    }
}

impl Eq for Tls {}

impl Tls {
    /// Whether nothing was set.
    pub(crate) fn is_default(&self) -> bool {
        *self == Self::default()
    }

    /// Makes a session with `host`, whose certificate has to be good.
    pub(super) fn open(&self, host: &str, socket: TimedSocket) -> io::Result<TlsStream> {
        let session =
            ClientConnection::new(self.config()?, self.name(host)?).map_err(io::Error::other)?;
        let mut stream = StreamOwned::new(session, socket);
        // Shakes hands now, so that a bad certificate is an error of connecting.
        while stream.conn.is_handshaking() {
            stream.conn.complete_io(&mut stream.sock)?;
        }
        Ok(stream)
    }

    /// The name that the certificate of `host` has to carry.
    pub(super) fn name(&self, host: &str) -> io::Result<ServerName<'static>> {
        let name = self.server_name.as_deref().unwrap_or(host);
        ServerName::try_from(name.to_owned())
            .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "no host name for TLS"))
    }

    /// The configuration of sessions. The first call reads the authorities of the system.
    pub(super) fn config(&self) -> io::Result<Arc<ClientConfig>> {
        if let Some(config) = self.config.get() {
            return Ok(config.clone());
        }
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .map_err(io::Error::other)?
            .with_root_certificates(self.roots()?);
        let config = match &self.identity {
            None => builder.with_no_client_auth(),
            Some((certificates, key)) => {
                let certificates = read_certificates(certificates)?;
                let key = PrivateKeyDer::from_pem_slice(key)
                    .map_err(|_| bad("what was given for a private key is none in PEM"))?;
                let config = builder.with_client_auth_cert(certificates, key);
                config.map_err(io::Error::other)?
            }
        };
        Ok(self
            .config
            .get_or_init(|| Box::new(Arc::new(config)))
            .clone())
    }

    fn roots(&self) -> io::Result<RootCertStore> {
        let Some(pem) = &self.authorities else {
            return system(load_native_certs());
        };
        let mut roots = RootCertStore::empty();
        for certificate in read_certificates(pem)? {
            roots.add(certificate).map_err(io::Error::other)?;
        }
        Ok(roots)
    }
}

/// Those of the system that can be read: there may be odd ones among them, but not only such.
fn system(found: CertificateResult) -> io::Result<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    if !roots.is_empty() {
        return Ok(roots);
    }
    let why = match found.errors.first() {
        Some(error) => one_line(&error.to_string()),
        None => "none that can be read".to_owned(),
    };
    let text = format!("no certificates of the system's authorities: {why}");
    Err(io::Error::new(io::ErrorKind::NotFound, text))
}

fn read_certificates(pem: &[u8]) -> io::Result<Vec<CertificateDer<'static>>> {
    let certificates: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match certificates {
        Ok(certificates) if !certificates.is_empty() => Ok(certificates),
        _ => Err(bad("what was given for a certificate is none in PEM")),
    }
}

fn bad(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn system_without_root_certificates_is_an_error() {
        let none = system(CertificateResult::default()).unwrap_err();
        assert_eq!(none.kind(), io::ErrorKind::NotFound);
        assert!(
            none.to_string().ends_with(": none that can be read"),
            "{none}"
        );
        let mut odd = CertificateResult::default();
        odd.certs.push(CertificateDer::from_slice(b"odd"));
        assert!(system(odd).is_err());
    }
}
