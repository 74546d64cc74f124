use std::error::Error;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use axum::Router;
use axum::http::StatusCode;
use axum::routing::get;
use tokio::net::TcpListener;

/// An HTTP server that can be made unhealthy.
pub(crate) struct Server {
    address: SocketAddr,
    sick: Arc<AtomicBool>,
}

impl Server {
    pub(crate) async fn start() -> io::Result<Server> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let sick = Arc::new(AtomicBool::new(false));
        let flag = sick.clone();
        let health = move || {
            let sick = flag.load(Ordering::Relaxed);
            async move { if sick { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::OK } }
        };
        let app = Router::new().route("/health", get(health));
        tokio::spawn(async move { axum::serve(listener, app).await });
        Ok(Server { address, sick })
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn turn_sick(&self, sick: bool) {
        self.sick.store(sick, Ordering::Relaxed);
    }
}

/// A TCP port that can be closed and opened again.
pub(crate) struct TcpPort {
    address: SocketAddr,
    listener: Option<TcpListener>,
}

impl TcpPort {
    pub(crate) async fn open() -> io::Result<TcpPort> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        Ok(TcpPort { address: listener.local_addr()?, listener: Some(listener) })
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    pub(crate) fn close(&mut self) {
        self.listener = None;
    }

    pub(crate) async fn open_again(&mut self) -> io::Result<()> {
        self.listener = Some(TcpListener::bind(self.address).await?);
        Ok(())
    }
}

/// A command that succeeds while a file exists. It is this very program, so that nothing has to be installed.
pub(crate) struct Toggle {
    file: PathBuf,
}

/// The argument that makes this program the command.
const LOOK: &str = "--look-for";

impl Toggle {
    /// If this process is the command, it exits in here.
    pub(crate) fn new() -> Result<Toggle, Box<dyn Error>> {
        let arguments: Vec<String> = std::env::args().collect();
        if let [_, look, file] = arguments.as_slice() {
            if look == LOOK {
                let there = std::fs::exists(file)?;
                if !there {
                    eprintln!("the file is gone");
                }
                std::process::exit(if there { 0 } else { 1 });
            }
        }
        let file = std::env::temp_dir().join(format!("seaworthy-prober-{}", std::process::id()));
        std::fs::write(&file, "")?;
        Ok(Toggle { file })
    }

    pub(crate) fn command(&self) -> [String; 3] {
        let program = std::env::current_exe().unwrap_or_default();
        [program.display().to_string(), LOOK.to_owned(), self.file.display().to_string()]
    }

    pub(crate) fn remove(&self) -> io::Result<()> {
        std::fs::remove_file(&self.file)
    }

    pub(crate) fn restore(&self) -> io::Result<()> {
        std::fs::write(&self.file, "")
    }
}

impl Drop for Toggle {
    fn drop(&mut self) {
        // It may be gone already.
        let _ = self.remove();
    }
}
