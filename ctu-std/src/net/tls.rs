use super::socket::TimedSocket;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned, pki_types::ServerName};
use std::{
    io,
    sync::{Arc, OnceLock},
};

/// A TLS session on a socket with deadlines.
pub(super) type TlsStream = StreamOwned<ClientConnection, TimedSocket>;

/// Makes a session with `host`, whose certificate has to be good to the system's authorities.
pub(super) fn open(host: &str, socket: TimedSocket) -> io::Result<TlsStream> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| io::Error::new(io::ErrorKind::InvalidInput, "not a host name for TLS"))?;
    let session = ClientConnection::new(config()?, name).map_err(io::Error::other)?;
    let mut stream = StreamOwned::new(session, socket);
    // Shakes hands now, so that a bad certificate is an error of connecting.
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock)?;
    }
    Ok(stream)
}

/// The system's authorities are read once a program.
fn config() -> io::Result<Arc<ClientConfig>> {
    static CONFIG: OnceLock<Arc<ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(config.clone());
    }
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(CONFIG.get_or_init(|| Arc::new(config)).clone())
}
