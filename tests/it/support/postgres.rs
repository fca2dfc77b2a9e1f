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

/// Everybody is let in without a password, but this role.
const BY_PASSWORD: &str = "by_password";

static CLUSTER: OnceLock<Cluster> = OnceLock::new();

/// Creates an empty database and gives its address.
pub(super) async fn new_database() -> String {
    let cluster = tokio::task::spawn_blocking(|| CLUSTER.get_or_init(Cluster::start)).await.unwrap();
    cluster.new_database().await
}

/// Copies a database that nobody is connected to, and gives the address of the copy.
pub(super) async fn copy_database(url: &str) -> String {
    let (cluster, name) = (CLUSTER.get().unwrap(), new_name());
    cluster.execute(&format!("CREATE DATABASE {name} TEMPLATE {}", name_of(url))).await;
    cluster.url(&name)
}

/// A statement for the cluster of [`new_database`], past everybody who uses it.
pub(crate) async fn execute(sql: &str) {
    CLUSTER.get().unwrap().execute(sql).await;
}

fn new_name() -> String {
    format!("t_{}", Uuid::new_v4().simple())
}

/// The database of an address.
pub(crate) fn name_of(url: &str) -> &str {
    url.split(['/', '?']).find(|part| part.starts_with("t_")).unwrap()
}

/// Where the server of an address listens.
pub(crate) fn socket_of(url: &str) -> String {
    format!("{}/.s.PGSQL.5432", url.split("host=").nth(1).unwrap())
}

/// The same database through a port of this machine, where something leads to its server.
pub(crate) fn url_through(port: u16, url: &str) -> String {
    format!("postgres://postgres@127.0.0.1:{port}/{}?sslmode=disable", name_of(url))
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

    /// An empty database of a role that has to give a password; the address is without it.
    pub(crate) async fn new_database_by_password(&self, password: &str) -> String {
        let name = new_name();
        self.execute(&format!("CREATE ROLE {BY_PASSWORD} LOGIN PASSWORD '{password}'")).await;
        self.execute(&format!("CREATE DATABASE {name} OWNER {BY_PASSWORD}")).await;
        self.0.url(&name).replacen("postgres@", &format!("{BY_PASSWORD}@"), 1)
    }

    /// That role gets another password; its connections stay.
    pub(crate) async fn set_password(&self, password: &str) {
        self.execute(&format!("ALTER ROLE {BY_PASSWORD} PASSWORD '{password}'")).await;
    }

    /// The same, and its connections are cut.
    pub(crate) async fn change_password(&self, password: &str) {
        self.set_password(password).await;
        self.execute(&format!(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{BY_PASSWORD}'"
        ))
        .await;
    }

    async fn execute(&self, sql: &str) {
        self.0.execute(sql).await;
    }

    /// A further server that gets everything from this one; from now on a commit is answered when it has it, too.
    pub(crate) async fn standby(&self) -> Self {
        let primary = self.0.directory.clone();
        let standby = tokio::task::spawn_blocking(move || {
            let directory = new_directory();
            let copied = unprivileged(&binaries().join("pg_basebackup"))
                .args(["--username=postgres", "--checkpoint=fast", "--no-sync", "--write-recovery-conf", "--pgdata"])
                .arg(directory.join("data"))
                .arg("--host")
                .arg(primary)
                .current_dir(&directory)
                .output()
                .unwrap();
            assert!(copied.status.success(), "pg_basebackup failed: {}", String::from_utf8_lossy(&copied.stderr));
            Cluster::serve(directory)
        });
        let standby = standby.await.unwrap();
        // After the copy, so that the standby does not wait for one of its own when it is promoted.
        self.execute("ALTER SYSTEM SET synchronous_standby_names = '*'").await;
        self.execute("SELECT pg_reload_conf()").await;
        Self(standby)
    }

    /// The same database at this server.
    pub(crate) fn url_of(&self, url: &str) -> String {
        self.0.url(name_of(url))
    }

    /// The standby is the primary from now on.
    pub(crate) async fn promote(&self) {
        self.execute("SELECT pg_promote()").await;
    }

    /// `SIGKILL` of the server with all its processes, as when its machine is gone. It does not come back.
    pub(crate) async fn kill_for_ever(&self) {
        std::fs::write(self.0.directory.join("over"), "").unwrap();
        let (id, file) = (self.0.process_id(), self.0.directory.join("data/postmaster.pid"));
        let kill = move || {
            let children = std::fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap();
            // It complains of whoever has ended in the meantime.
            drop(Command::new("kill").arg("-KILL").arg(&id).args(children.split_whitespace()).output());
        };
        tokio::task::spawn_blocking(kill).await.unwrap();
        // The id may be somebody else's by the time of the last cleaning.
        std::fs::remove_file(file).unwrap();
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
        let id = self.0.process_id();
        if !id.is_empty() {
            drop(Command::new("kill").args(["-INT", &id]).status());
        }
    }
}

impl Cluster {
    async fn new_database(&self) -> String {
        let name = new_name();
        self.execute(&format!("CREATE DATABASE {name}")).await;
        self.url(&name)
    }

    /// As the one who may do everything.
    async fn execute(&self, sql: &str) {
        let admin = Database::connect(self.url("postgres")).await.unwrap();
        admin.execute_unprepared(sql).await.unwrap();
        admin.close().await.unwrap();
    }

    /// That of the server; empty while there is none.
    fn process_id(&self) -> String {
        let file = std::fs::read_to_string(self.directory.join("data/postmaster.pid")).unwrap_or_default();
        file.lines().next().unwrap_or_default().to_owned()
    }

    fn start() -> Self {
        let directory = new_directory();
        let data = directory.join("data");
        let made = unprivileged(&binaries().join("initdb"))
            .args(["--no-sync", "-A", "trust", "--locale=C", "-E", "UTF8", "-U", "postgres", "-D"])
            .arg(&data)
            .current_dir(&directory)
            .output()
            .unwrap();
        assert!(made.status.success(), "initdb failed: {}", String::from_utf8_lossy(&made.stderr));
        let rules = data.join("pg_hba.conf");
        let trusting = std::fs::read_to_string(&rules).unwrap();
        std::fs::write(&rules, format!("local all {BY_PASSWORD} scram-sha-256\n{trusting}")).unwrap();
        Self::serve(directory)
    }

    /// Starts the server of a folder, and waits until it takes connections.
    fn serve(directory: PathBuf) -> Self {
        let (data, bin) = (directory.join("data"), binaries());
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

/// Where the server, who is another user, may write.
fn new_directory() -> PathBuf {
    let directory = std::env::temp_dir().join(format!("seatkey-pg-{}", Uuid::new_v4().simple()));
    std::fs::create_dir(&directory).unwrap();
    std::fs::set_permissions(&directory, std::fs::Permissions::from_mode(0o777)).unwrap();
    directory
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
