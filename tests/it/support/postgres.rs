//! A real PostgreSQL for the tests: one cluster for the test binary, on a Unix socket, with a fresh database for each test.
//! A watchdog removes the cluster when the test process ends, however it ends.

use std::{
    os::unix::{fs::PermissionsExt, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::OnceLock,
};

use sea_orm::{ConnectionTrait as _, Database};
use uuid::Uuid;

struct Cluster {
    directory: PathBuf,
}

static CLUSTER: OnceLock<Cluster> = OnceLock::new();

/// Creates an empty database and gives its address.
pub(super) async fn new_database() -> String {
    let cluster = tokio::task::spawn_blocking(|| CLUSTER.get_or_init(Cluster::start)).await.unwrap();
    cluster.new_database().await
}

/// Copies a database that nobody is connected to, and gives the address of the copy.
pub(super) async fn copy_database(url: &str) -> String {
    let cluster = CLUSTER.get().unwrap();
    let original = url.split(['/', '?']).find(|part| part.starts_with("t_")).unwrap();
    let name = format!("t_{}", Uuid::new_v4().simple());
    let admin = Database::connect(cluster.url("postgres")).await.unwrap();
    admin.execute_unprepared(&format!("CREATE DATABASE {name} TEMPLATE {original}")).await.unwrap();
    admin.close().await.unwrap();
    cluster.url(&name)
}

/// A cluster for one test, whose server is killed and comes back.
pub(crate) struct Own(Cluster);

impl Own {
    pub(crate) fn start() -> Self {
        Self(Cluster::start())
    }

    /// An empty database.
    pub(crate) async fn new_database(&self) -> String {
        self.0.new_database().await
    }

    /// `SIGKILL` of the server, which is started again at once. Gives when it takes connections.
    pub(crate) async fn kill(&self) {
        let directory = self.0.directory.clone();
        let id = self.0.process_id();
        tokio::task::spawn_blocking(move || {
            drop(Command::new("kill").args(["-KILL", &id]).status());
            let cluster = Cluster { directory };
            while cluster.process_id() == id {
                std::thread::yield_now();
            }
            cluster.wait_until_ready(&binaries());
        })
        .await
        .unwrap();
    }
}

impl Drop for Own {
    fn drop(&mut self) {
        // The loop around the server ends, and cleans up.
        drop(std::fs::write(self.0.directory.join("over"), ""));
        drop(Command::new("kill").args(["-INT", &self.0.process_id()]).status());
    }
}

impl Cluster {
    async fn new_database(&self) -> String {
        let name = format!("t_{}", Uuid::new_v4().simple());
        let admin = Database::connect(self.url("postgres")).await.unwrap();
        admin.execute_unprepared(&format!("CREATE DATABASE {name}")).await.unwrap();
        admin.close().await.unwrap();
        self.url(&name)
    }

    /// That of the server; empty while there is none.
    fn process_id(&self) -> String {
        let file = std::fs::read_to_string(self.directory.join("data/postmaster.pid")).unwrap_or_default();
        file.lines().next().unwrap_or_default().to_owned()
    }

    fn start() -> Self {
        let directory = std::env::temp_dir().join(format!("seatkey-pg-{}", Uuid::new_v4().simple()));
        std::fs::create_dir(&directory).unwrap();
        std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o777)).unwrap();
        let data = directory.join("data");
        let bin = binaries();
        let made = unprivileged(&bin.join("initdb"))
            .args(["--no-sync", "-A", "trust", "--locale=C", "-E", "UTF8", "-U", "postgres", "-D"])
            .arg(&data)
            .current_dir(&directory)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        // The shell holds the read end of a pipe of this process: when we are gone, it stops the server and cleans up. A server
        // that was killed comes back, as soon as its last process is gone.
        let script = format!(
            "while [ ! -e '{dir}/over' ]; do '{bin}/postgres' -D '{data}' -k '{dir}' -c listen_addresses= -c fsync=off \
             -c max_connections=400; sleep 0.05; done >>'{dir}/log' 2>&1 & servers=$!; cat >/dev/null; touch '{dir}/over'; \
             kill -INT $(head -n 1 '{data}/postmaster.pid'); wait $servers; rm -rf '{dir}'",
            bin = bin.display(),
            data = data.display(),
            dir = directory.display(),
        );
        let watchdog = unprivileged(Path::new("/bin/sh"))
            .args(["-c", &script])
            .current_dir(&directory)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        std::mem::forget(watchdog);
        let cluster = Self { directory };
        cluster.wait_until_ready(&bin);
        cluster
    }

    fn wait_until_ready(&self, bin: &Path) {
        for _ in 0..600 {
            let ready = Command::new(bin.join("pg_isready")).arg("-q").arg("-h").arg(&self.directory).status();
            if ready.is_ok_and(|status| status.success()) {
                return;
            }
            std::thread::yield_now();
        }
        let log = std::fs::read_to_string(self.directory.join("log")).unwrap_or_default();
        panic!("PostgreSQL did not start:\n{log}");
    }

    fn url(&self, name: &str) -> String {
        format!("postgres://postgres@localhost/{name}?host={}", self.directory.display())
    }
}

/// The newest installed version, or `PG_BIN`.
fn binaries() -> PathBuf {
    if let Some(named) = std::env::var_os("PG_BIN") {
        return PathBuf::from(named);
    }
    let mut versions: Vec<PathBuf> = std::fs::read_dir("/usr/lib/postgresql")
        .expect("PostgreSQL is not installed; ./tests/run installs it")
        .filter_map(|entry| Some(entry.ok()?.path().join("bin")))
        .filter(|bin| bin.join("initdb").exists())
        .collect();
    versions.sort();
    versions.pop().expect("PostgreSQL's server is not installed; ./tests/run installs it")
}

/// PostgreSQL refuses to run as root: then it runs as nobody.
fn unprivileged(program: &Path) -> Command {
    const NOBODY: u32 = 65_534;
    let mut command = Command::new(program);
    let root = std::fs::metadata("/proc/self").is_ok_and(|own| std::os::unix::fs::MetadataExt::uid(&own) == 0);
    if root {
        command.uid(NOBODY).gid(NOBODY);
    }
    command
}
