//! Parts that several fuzz targets share.

mod python;

pub use python::Python;

use std::{
    io::{Read, Write},
    os::unix::net::{UnixListener, UnixStream},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
    thread,
};

/// A server that answers each connection with the bytes of the current input and closes it.
pub struct CannedServer {
    path: PathBuf,
    answer: Arc<Mutex<Vec<u8>>>,
}

impl CannedServer {
    /// Starts the server on a socket in the system's directory for temporary files.
    pub fn start(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("ctu-fuzz-{name}-{}", std::process::id()));
        let _ = std::fs::remove_file(&path);
        let listener = UnixListener::bind(&path).expect("a socket");
        let answer = Arc::<Mutex<Vec<u8>>>::default();
        let answers = answer.clone();
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let answer = answers.lock().expect("no panic while it is held").clone();
                serve(stream, &answer);
            }
        });
        Self { path, answer }
    }

    /// The path of the socket.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Makes `bytes` the answer from now on.
    pub fn set(&self, bytes: &[u8]) {
        *self.answer.lock().expect("no panic while it is held") = bytes.to_vec();
    }
}

impl Drop for CannedServer {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn serve(mut stream: UnixStream, answer: &[u8]) {
    let mut request = [0; 4096];
    if stream.read(&mut request).is_ok_and(|read| read > 0) {
        // The client may have closed; a failed write is the client's answer.
        let _ = stream.write_all(answer);
    }
}
