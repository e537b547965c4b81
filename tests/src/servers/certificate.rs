use std::{
    fs,
    path::PathBuf,
    sync::atomic::{AtomicU32, Ordering},
};

/// A self-signed certificate and its key: as text, and as files until it is dropped.
#[derive(Debug)]
pub struct Certificate {
    pem: String,
    key: String,
    directory: PathBuf,
}

impl Certificate {
    /// Creates a certificate for `host`.
    pub fn of(host: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let made = rcgen::generate_simple_self_signed([host.to_owned()]).expect("a certificate");
        let name = format!("ctu-certificate-{}-{count}", std::process::id());
        let one = Self {
            pem: made.cert.pem(),
            key: made.signing_key.serialize_pem(),
            directory: std::env::temp_dir().join(name),
        };
        fs::create_dir_all(&one.directory).expect("a directory for the certificate");
        fs::write(one.file(), &one.pem).expect("to write the certificate");
        fs::write(one.key_file(), &one.key).expect("to write the key");
        one
    }

    /// The certificate, in PEM.
    pub fn pem(&self) -> &str {
        &self.pem
    }

    /// Its private key, in PEM.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// The path of the certificate.
    pub fn file(&self) -> String {
        self.path("certificate")
    }

    /// The path of its private key.
    pub fn key_file(&self) -> String {
        self.path("key")
    }

    fn path(&self, name: &str) -> String {
        self.directory.join(name).display().to_string()
    }
}

impl Drop for Certificate {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.directory);
    }
}
