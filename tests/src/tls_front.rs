//! TLS in front of a plain server or a [`FaultProxy`](ctu_std::test_util::FaultProxy).

use crate::servers::Certificate;
use rustls::{
    ServerConfig, ServerConnection,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject},
};
use std::{
    io::{self, Read, Write},
    net::{Ipv4Addr, Shutdown, TcpListener, TcpStream},
    sync::{Arc, Mutex, PoisonError},
    thread,
};

/// Accepts connections over TLS and forwards their content.
pub struct TlsFront {
    port: u16,
    certificate: Certificate,
    sessions: Arc<Mutex<Vec<Arc<Session>>>>,
}

impl TlsFront {
    /// Starts a front named `localhost` before a port of this machine. It ends with the test
    /// program.
    pub fn to(port: u16) -> Self {
        let certificate = Certificate::of("localhost");
        let config = Arc::new(config(&certificate));
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
        let own = listener.local_addr().expect("an address").port();
        let sessions: Arc<Mutex<Vec<Arc<Session>>>> = Arc::default();
        let begun = sessions.clone();
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                if let Ok(server) = TcpStream::connect((Ipv4Addr::LOCALHOST, port)) {
                    begun
                        .lock()
                        .unwrap_or_else(PoisonError::into_inner)
                        .extend(connect(client, server, config.clone()));
                }
            }
        });
        Self {
            port: own,
            certificate,
            sessions,
        }
    }

    /// Sends unsolicited bytes on every open connection.
    pub fn say(&self, bytes: &[u8]) {
        let sessions = self.sessions.lock();
        for session in &*sessions.unwrap_or_else(PoisonError::into_inner) {
            // A closed connection is skipped.
            let _ = session.with(|tls| tls.writer().write_all(bytes));
        }
    }

    /// Its port on `localhost`.
    pub fn port(&self) -> u16 {
        self.port
    }

    /// The certificate to trust.
    pub fn certificate(&self) -> &Certificate {
        &self.certificate
    }
}

fn config(certificate: &Certificate) -> ServerConfig {
    let chain = CertificateDer::from_pem_slice(certificate.pem().as_bytes()).expect("PEM");
    let key = PrivateKeyDer::from_pem_slice(certificate.key().as_bytes()).expect("PEM");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions of TLS")
        .with_no_client_auth()
        .with_single_cert(vec![chain], key)
        .expect("a certificate and its key")
}

/// One side of a TLS connection, shared by both directions.
struct Session {
    tls: Mutex<ServerConnection>,
    client: TcpStream,
}

impl Session {
    /// Applies `change`, and sends the resulting bytes to the client.
    fn with<T>(
        &self,
        change: impl FnOnce(&mut ServerConnection) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut tls = self.tls.lock().unwrap_or_else(PoisonError::into_inner);
        let done = change(&mut tls);
        while tls.wants_write() {
            tls.write_tls(&mut &self.client)?;
        }
        done
    }
}

fn connect(
    client: TcpStream,
    server: TcpStream,
    config: Arc<ServerConfig>,
) -> io::Result<Arc<Session>> {
    client.set_nodelay(true)?;
    server.set_nodelay(true)?;
    let tls = Mutex::new(ServerConnection::new(config).map_err(io::Error::other)?);
    let session = Arc::new(Session { tls, client });
    let (asked, answered) = (session.clone(), session.clone());
    let answers = server.try_clone()?;
    thread::spawn(move || {
        let _ = pass_requests(&asked, &server);
        let _ = asked.client.shutdown(Shutdown::Both);
        let _ = server.shutdown(Shutdown::Both);
    });
    thread::spawn(move || {
        let _ = pass_answers(&answered, &answers);
        // An orderly close, as servers do it.
        let _ = answered.with(|tls| {
            tls.send_close_notify();
            Ok(())
        });
        let _ = answered.client.shutdown(Shutdown::Both);
    });
    Ok(session)
}

fn pass_requests(session: &Session, mut server: &TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 16];
    loop {
        let len = (&session.client).read(&mut buffer)?;
        if len == 0 {
            return Ok(());
        }
        let mut sealed = &buffer[..len];
        while !sealed.is_empty() {
            let plain = session.with(|tls| {
                tls.read_tls(&mut sealed)?;
                let state = tls.process_new_packets().map_err(io::Error::other)?;
                let mut plain = vec![0; state.plaintext_bytes_to_read()];
                tls.reader().read_exact(&mut plain)?;
                Ok(plain)
            })?;
            server.write_all(&plain)?;
        }
    }
}

fn pass_answers(session: &Session, mut server: &TcpStream) -> io::Result<()> {
    let mut buffer = vec![0; 1 << 14];
    loop {
        let len = server.read(&mut buffer)?;
        if len == 0 {
            return Ok(());
        }
        session.with(|tls| tls.writer().write_all(&buffer[..len]))?;
    }
}
