//! A git repository as the source of notes: fetched into a bare clone, read from there without a checkout.
//!
//! The `git` program does it, as it knows every way to a server. It asks nobody anything, runs no hooks, fetches no submodules, and speaks only
//! the protocol of the configured address. A token never stands in arguments or in the environment: git reads it from its file.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use fitter_retrieval::vault::{self, Blobs, Listed, Vault};
use tokio::io::{AsyncBufReadExt as _, BufReader};
use tokio::process::Command;

use super::blobs::CatFile;
use super::source::SourceError;

/// The first fetch brings everything that the branch ever was.
const CLONE_TIMEOUT: Duration = Duration::from_secs(1800);
/// The others bring what is new.
const FETCH_TIMEOUT: Duration = Duration::from_secs(120);
/// What reads the clone takes no longer.
const LOCAL_TIMEOUT: Duration = Duration::from_secs(60);

/// Where the fetched branch stands in the clone.
const REF: &str = "refs/vault/notes";

/// What of the environment git needs: its programs, and the way through proxies.
const KEPT: [&str; 14] = [
    "PATH",
    "HOME",
    "TMPDIR",
    "SYSTEMROOT",
    "http_proxy",
    "https_proxy",
    "HTTPS_PROXY",
    "all_proxy",
    "ALL_PROXY",
    "no_proxy",
    "NO_PROXY",
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "SSH_AUTH_SOCK",
];

/// A repository.
#[derive(Debug, Clone)]
pub struct Git {
    /// Its address, without a password: `https://…`, `ssh://…`, `git@host:path`, or a folder.
    pub url: String,
    /// The branch; without one, what the server's HEAD names.
    pub branch: Option<String>,
    /// File with the token or password for https.
    pub token_file: Option<PathBuf>,
    /// File with the private key for ssh.
    pub ssh_key_file: Option<PathBuf>,
    /// Folder of the clone; it may be deleted at any time.
    pub clone: PathBuf,
}

/// Who changed a file last, and when.
pub type Changed = (String, DateTime<Utc>);

impl Git {
    /// Fetches the branch; gives its commit.
    ///
    /// # Errors
    /// If git cannot be run, the server does not answer in time, or refuses.
    pub async fn fetch(&self) -> Result<String, SourceError> {
        if self.run(&["rev-parse", "--is-bare-repository"], LOCAL_TIMEOUT).await.is_err() {
            // Not there, or torn: it is only a copy.
            if self.clone.exists() {
                std::fs::remove_dir_all(&self.clone)?;
            }
            std::fs::create_dir_all(&self.clone)?;
            self.run(&["init", "--quiet", "--bare", "."], LOCAL_TIMEOUT).await?;
        }
        let first = self.commit().await.is_err();
        let from = self.branch.as_ref().map_or_else(|| "HEAD".to_owned(), |branch| format!("refs/heads/{branch}"));
        // The plus sign: who rewrites the history means it.
        let refspec = format!("+{from}:{REF}");
        let fetch =
            ["fetch", "--quiet", "--force", "--no-tags", "--no-recurse-submodules", "--no-write-fetch-head", "--", &self.url, &refspec];
        self.run(&fetch, if first { CLONE_TIMEOUT } else { FETCH_TIMEOUT }).await?;
        self.commit().await
    }

    async fn commit(&self) -> Result<String, SourceError> {
        let commit = self.run(&["rev-parse", "--verify", "--quiet", &format!("{REF}^{{commit}}")], LOCAL_TIMEOUT).await?;
        Ok(String::from_utf8_lossy(&commit).trim().to_owned())
    }

    /// The files of a commit that was fetched.
    ///
    /// # Errors
    /// If git fails.
    pub async fn vault(&self, commit: &str) -> Result<Vault, SourceError> {
        let listed = self.run(&["ls-tree", "-r", "-z", "-l", "--full-tree", commit], LOCAL_TIMEOUT).await?;
        let files = listed.split(|byte| *byte == 0).filter_map(file).collect();
        let blobs: Arc<dyn Blobs> = Arc::new(CatFile::new(self.command(&["cat-file", "--batch"]).into_std()));
        // Settings are read from the clone.
        tokio::task::spawn_blocking(move || vault::of_blobs(files, &blobs)).await.map_err(|_| SourceError::Interrupted)
    }

    /// Who changed these files last before or with `commit`, and when. Reads the history from its end only as far as it has to.
    ///
    /// # Errors
    /// If git fails.
    pub async fn changed(&self, commit: &str, paths: HashSet<String>) -> Result<HashMap<String, Changed>, SourceError> {
        let mut wanted = paths;
        let mut found = HashMap::new();
        if wanted.is_empty() {
            return Ok(found);
        }
        // A commit's header begins with U+0001; then its files, each with NUL.
        let log = ["log", "-z", "--name-only", "-c", "--no-renames", "--format=tformat:%x01%ct%x02%aN", commit, "--"];
        let mut child = self.command(&log).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().map_err(SourceError::NoGit)?;
        let Some(out) = child.stdout.take() else { return Err(SourceError::Interrupted) };
        let mut out = BufReader::new(out);
        let reading = async {
            let (mut piece, mut by): (Vec<u8>, Option<Changed>) = (Vec::new(), None);
            while !wanted.is_empty() {
                piece.clear();
                if out.read_until(0, &mut piece).await? == 0 {
                    break;
                }
                let text = String::from_utf8_lossy(&piece);
                let text = text.trim_matches(['\0', '\n']);
                if let Some((time, author)) = text.strip_prefix('\u{1}').and_then(|header| header.split_once('\u{2}')) {
                    let time = time.parse().ok().and_then(|seconds| DateTime::from_timestamp(seconds, 0));
                    by = time.map(|time| (author.to_owned(), time));
                } else if let (Some(by), Some(path)) = (&by, wanted.take(&vault::normal_path(text))) {
                    found.insert(path, by.clone());
                }
            }
            Ok::<(), std::io::Error>(())
        };
        tokio::time::timeout(FETCH_TIMEOUT, reading).await.map_err(|_| SourceError::Timeout(FETCH_TIMEOUT))??;
        Ok(found)
    }

    /// A command of git in the clone.
    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new("git");
        command.current_dir(&self.clone).env_clear().stdin(Stdio::null()).kill_on_drop(true).args(args);
        for name in KEPT {
            if let Some(value) = std::env::var_os(name) {
                command.env(name, value);
            }
        }
        command
            .env("GIT_DIR", &self.clone)
            .env("GIT_TERMINAL_PROMPT", "0")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .env("GIT_CONFIG_GLOBAL", if cfg!(windows) { "NUL" } else { "/dev/null" })
            .env("LC_ALL", "C");
        let mut settings = vec![
            ("core.hooksPath".to_owned(), "/dev/null".to_owned()),
            ("core.quotePath".to_owned(), "off".to_owned()),
            ("protocol.allow".to_owned(), "never".to_owned()),
            (format!("protocol.{}.allow", self.protocol()), "always".to_owned()),
            ("credential.helper".to_owned(), String::new()),
            ("http.lowSpeedLimit".to_owned(), "100".to_owned()),
            ("http.lowSpeedTime".to_owned(), "30".to_owned()),
            ("maintenance.autoDetach".to_owned(), "false".to_owned()),
        ];
        if let (Some(file), Some(site)) = (&self.token_file, self.site()) {
            // Any name will do beside a token; one in the address stays.
            let helper =
                "!f() { test \"$1\" = get || exit 0; echo username=fitter; printf password=; head -n 1 \"$FITTER_GIT_TOKEN_FILE\"; }; f";
            settings.push((format!("credential.{site}.helper"), helper.to_owned()));
            command.env("FITTER_GIT_TOKEN_FILE", file);
        }
        if let Some(key) = &self.ssh_key_file {
            let hosts = self.clone.with_extension("known_hosts");
            command.env(
                "GIT_SSH_COMMAND",
                format!(
                    "ssh -i {} -o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=15 -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile={}",
                    quoted(&key.display().to_string()),
                    quoted(&hosts.display().to_string())
                ),
            );
        }
        command.env("GIT_CONFIG_COUNT", settings.len().to_string());
        for (place, (key, value)) in settings.into_iter().enumerate() {
            command.env(format!("GIT_CONFIG_KEY_{place}"), key).env(format!("GIT_CONFIG_VALUE_{place}"), value);
        }
        command
    }

    async fn run(&self, args: &[&str], timeout: Duration) -> Result<Vec<u8>, SourceError> {
        if !self.clone.is_dir() {
            return Err(SourceError::NoClone);
        }
        let running =
            self.command(args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().map_err(SourceError::NoGit)?.wait_with_output();
        let output = tokio::time::timeout(timeout, running).await.map_err(|_| SourceError::Timeout(timeout))??;
        if output.status.success() {
            return Ok(output.stdout);
        }
        let said = String::from_utf8_lossy(&output.stderr);
        let lines: Vec<&str> = said.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        Err(SourceError::Git(lines.join("; ").chars().take(500).collect()))
    }

    /// The protocol of the address, as git names it.
    fn protocol(&self) -> &str {
        match self.url.split_once("://") {
            Some((scheme, _)) => scheme,
            // `git@host:path`; a path with a colon is a folder only if a slash comes first.
            None if self.url.split('/').next().is_some_and(|head| head.contains(':')) => "ssh",
            None => "file",
        }
    }

    /// Scheme and host of an https address: the token is for nobody else.
    fn site(&self) -> Option<String> {
        let (scheme, rest) = self.url.split_once("://").filter(|(scheme, _)| scheme.starts_with("http"))?;
        let host = rest.split('/').next()?;
        Some(format!("{scheme}://{}", host.rsplit('@').next().unwrap_or(host)))
    }
}

/// `<mode> <type> <object> <size>\t<path>`; only files: a link could lead out of the vault, and submodules are others' notes.
fn file(line: &[u8]) -> Option<Listed> {
    let line = std::str::from_utf8(line).ok()?;
    let (head, path) = line.split_once('\t')?;
    let mut parts = head.split_ascii_whitespace();
    let (mode, kind, object, size) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    let is_file = kind == "blob" && mode.starts_with("100");
    is_file.then(|| Listed { path: path.to_owned(), size: size.parse().unwrap_or(0), stamp: object.to_owned() })
}

/// A word for the shell that git starts ssh with.
fn quoted(word: &str) -> String {
    format!("'{}'", word.replace('\'', "'\\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn git(url: &str) -> Git {
        Git { url: url.to_owned(), branch: None, token_file: None, ssh_key_file: None, clone: PathBuf::from("/c") }
    }

    #[test]
    fn addresses() {
        for (url, protocol, site) in [
            ("https://bot@git.example.com:8443/a/b.git", "https", Some("https://git.example.com:8443")),
            ("ssh://git@host/a.git", "ssh", None),
            ("git@host:a/b.git", "ssh", None),
            ("/srv/notes.git", "file", None),
            ("./a:b.git", "file", None),
            ("file:///srv/notes.git", "file", None),
        ] {
            assert_eq!((git(url).protocol(), git(url).site().as_deref()), (protocol, site), "{url}");
        }
    }

    #[test]
    fn secrets_stand_neither_in_arguments_nor_in_the_environment() {
        let folder = tempfile::tempdir().unwrap();
        let token = folder.path().join("it's a token");
        std::fs::write(&token, "s3cret\n").unwrap();
        let git = Git { token_file: Some(token.clone()), ssh_key_file: Some(token), ..git("https://host/a.git") };
        let command = git.command(&["fetch"]);
        assert!(!format!("{command:?}").contains("s3cret"));
        assert!(format!("{command:?}").contains("credential.https://host.helper"));
        assert_eq!(quoted("it's"), r"'it'\''s'");
    }
}
