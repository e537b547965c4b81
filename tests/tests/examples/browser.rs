//! A headless Chromium, driven over the pipe of the DevTools protocol.

use serde_json::{Value, json};
use std::{
    env, fs,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
    sync::atomic::{AtomicU32, Ordering},
};

/// The limit of a wait for a condition, in milliseconds.
const LIMIT: u32 = 120_000;

/// A browser with one page. It ends on drop.
pub(crate) struct Browser {
    process: Child,
    requests: ChildStdin,
    replies: BufReader<ChildStdout>,
    profile: PathBuf,
    session: Option<String>,
    sent: u64,
    /// The errors of scripts and of loads of the page.
    errors: Vec<String>,
}

impl Browser {
    /// Starts a browser with the page at `url`.
    pub(crate) fn open(url: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let profile = format!("ctu-browser-{}-{count}", std::process::id());
        let profile = env::temp_dir().join(profile);
        // The protocol has the file descriptors 3 and 4. Chromium refuses its sandbox to root.
        let start = "exec chromium --headless --no-sandbox --disable-gpu --disable-dev-shm-usage \
                     --no-first-run --window-size=1280,1100 --remote-debugging-pipe \
                     --user-data-dir=\"$0\" about:blank 3<&0 4>&1 0</dev/null 1>&2";
        let mut process = Command::new("sh")
            .args(["-c", start])
            .arg(&profile)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("a browser, which tests/run installs");
        let requests = process.stdin.take().expect("a pipe");
        let replies = BufReader::new(process.stdout.take().expect("a pipe"));
        let mut browser = Self {
            process,
            requests,
            replies,
            profile,
            session: None,
            sent: 0,
            errors: Vec::new(),
        };
        let page = browser.call("Target.createTarget", json!({ "url": "about:blank" }));
        let attach = json!({ "targetId": page["targetId"], "flatten": true });
        let attached = browser.call("Target.attachToTarget", attach);
        browser.session = attached["sessionId"].as_str().map(str::to_owned);
        browser.call("Runtime.enable", json!({}));
        browser.call("Log.enable", json!({}));
        browser.call("Page.enable", json!({}));
        browser.call("Page.navigate", json!({ "url": url }));
        browser.until(&format!(
            "location.href === {url:?} && document.readyState === 'complete'"
        ));
        browser
    }

    /// The value of a JavaScript expression, or of its promise.
    pub(crate) fn evaluate(&mut self, expression: &str) -> Value {
        let evaluate = json!({
            "expression": expression, "awaitPromise": true, "returnByValue": true,
        });
        let evaluated = self.call("Runtime.evaluate", evaluate);
        let fault = &evaluated["exceptionDetails"];
        assert!(fault.is_null(), "{expression}: {fault}");
        evaluated["result"]["value"].clone()
    }

    /// The text of the element with this id.
    pub(crate) fn text(&mut self, id: &str) -> String {
        let text = self.evaluate(&format!("document.getElementById({id:?}).textContent"));
        text.as_str().expect("a text").to_owned()
    }

    /// The number that the text of the element with this id is.
    pub(crate) fn number(&mut self, id: &str) -> u64 {
        let text = self.text(id).replace(',', "");
        text.parse().expect("a number")
    }

    /// Waits until a JavaScript condition holds.
    pub(crate) fn until(&mut self, condition: &str) {
        let wait = format!(
            "new Promise((resolve, reject) => {{
                setTimeout(() => reject('does not come true'), {LIMIT});
                const check = () => {condition} ? resolve() : setTimeout(check, 20);
                check();
            }})"
        );
        self.evaluate(&wait);
    }

    /// Clicks with the mouse on the middle of the element with this id.
    pub(crate) fn click(&mut self, id: &str) {
        let place = format!(
            "(() => {{
                const element = document.getElementById({id:?});
                element.scrollIntoView({{ block: 'center' }});
                const {{ x, y, width, height }} = element.getBoundingClientRect();
                return {{ x: x + width / 2, y: y + height / 2 }};
            }})()"
        );
        let place = self.evaluate(&place);
        for kind in ["mousePressed", "mouseReleased"] {
            let event = json!({
                "type": kind, "x": place["x"], "y": place["y"], "button": "left", "clickCount": 1,
            });
            self.call("Input.dispatchMouseEvent", event);
        }
    }

    /// Selects the light or the dark form of the page, and waits until it is drawn.
    pub(crate) fn set_color_scheme(&mut self, scheme: &str) {
        let feature = json!([{ "name": "prefers-color-scheme", "value": scheme }]);
        self.call("Emulation.setEmulatedMedia", json!({ "features": feature }));
    }

    /// Sets the size of the window, in pixels.
    pub(crate) fn set_size(&mut self, width: u32, height: u32) {
        let size = json!({
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": false,
        });
        self.call("Emulation.setDeviceMetricsOverride", size);
    }

    /// Writes a picture of the whole page, as PNG in base64, to the folder that `CTU_SCREENSHOTS` names, if it is set.
    pub(crate) fn screenshot(&mut self, name: &str) {
        if let Some(folder) = env::var_os("CTU_SCREENSHOTS") {
            let capture = json!({ "captureBeyondViewport": true });
            let picture = self.call("Page.captureScreenshot", capture);
            let data = picture["data"].as_str().expect("a picture");
            let path = Path::new(&folder).join(format!("{name}.png.base64"));
            fs::write(path, data).expect("to write a picture");
        }
    }

    /// The errors of scripts and loads of the page so far.
    pub(crate) fn errors(&self) -> &[String] {
        &self.errors
    }

    /// Sends a command, and returns its result.
    fn call(&mut self, method: &str, parameters: Value) -> Value {
        self.sent += 1;
        let mut request = json!({ "id": self.sent, "method": method, "params": parameters });
        if let Some(session) = &self.session {
            request["sessionId"] = session.as_str().into();
        }
        let mut bytes = request.to_string().into_bytes();
        bytes.push(0);
        self.requests.write_all(&bytes).expect("the browser to run");
        loop {
            let mut reply = Vec::new();
            self.replies.read_until(0, &mut reply).expect("a reply");
            assert_eq!(reply.pop(), Some(0), "{method}: the browser ended");
            let mut reply: Value = serde_json::from_slice(&reply).expect("a reply");
            if reply["id"] == self.sent {
                assert!(reply["error"].is_null(), "{method}: {reply}");
                return reply["result"].take();
            }
            self.note(&reply);
        }
    }

    /// Keeps an event that tells of an error.
    fn note(&mut self, event: &Value) {
        let parameters = &event["params"];
        let is_error = match event["method"].as_str() {
            Some("Runtime.exceptionThrown") => true,
            Some("Log.entryAdded") => parameters["entry"]["level"] == "error",
            _ => false,
        };
        if is_error {
            self.errors.push(parameters.to_string());
        }
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.profile);
    }
}
