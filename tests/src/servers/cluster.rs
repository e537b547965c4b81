use super::RedisServer;
use std::{
    collections::BTreeSet,
    net::{Ipv4Addr, TcpListener},
    ops::RangeInclusive,
    sync::atomic::{AtomicU32, Ordering},
    thread,
};

/// The number of slots of a cluster.
const SLOTS: usize = 16384;

/// An empty Redis Cluster. With a node down, the slots of the others stay served.
#[derive(Debug)]
pub struct RedisCluster {
    /// The initial masters, then their replicas in the same order, if any.
    nodes: Vec<RedisServer>,
    masters: usize,
}

impl RedisCluster {
    /// Starts a cluster of `masters` masters with equal shares of the slots and no replicas.
    pub fn start(masters: usize) -> Self {
        Self::with(masters, Vec::new)
    }

    /// The same with more options, by node.
    pub fn with(masters: usize, options: impl Fn() -> Vec<String>) -> Self {
        let nodes = nodes(masters, options);
        let cluster = Self { nodes, masters };
        cluster.meet();
        cluster
    }

    /// Starts a cluster of masters, each with a replica that takes over soon after its master ends.
    pub fn replicated(masters: usize) -> Self {
        let options = || ["--cluster-node-timeout", "2000"].map(String::from).into();
        let nodes = nodes(2 * masters, options);
        let cluster = Self { nodes, masters };
        cluster.meet();
        let (firsts, replicas) = cluster.nodes.split_at(masters);
        for (master, replica) in firsts.iter().zip(replicas) {
            let id = id(master);
            until(|| replica.cli(&["cluster", "replicate", &id]) == "OK");
        }
        for replica in replicas {
            let up = |replica: &RedisServer| {
                let info = replica.cli(&["info", "replication"]);
                info.contains("master_link_status:up")
            };
            until(|| up(replica));
        }
        // Every node must know every replica to elect it.
        until(|| {
            let knows = |node: &RedisServer| {
                let nodes = node.cli(&["cluster", "nodes"]);
                nodes.matches("slave").count() == masters
            };
            cluster.nodes.iter().all(knows)
        });
        cluster
    }

    /// Joins separate nodes to a cluster.
    fn meet(&self) {
        let share = SLOTS.div_ceil(self.masters);
        for (index, node) in self.nodes.iter().enumerate() {
            let epoch = (index + 1).to_string();
            node.cli(&["cluster", "set-config-epoch", &epoch]);
            if index < self.masters {
                let last = SLOTS.min((index + 1) * share) - 1;
                let (first, last) = ((index * share).to_string(), last.to_string());
                node.cli(&["cluster", "addslotsrange", &first, &last]);
            }
            for other in &self.nodes {
                let (port, bus) = (other.port().to_string(), bus(other));
                node.cli(&["cluster", "meet", "127.0.0.1", &port, &bus]);
            }
        }
        self.settle();
    }

    /// Waits until the replica of a master has every write acknowledged so far.
    pub fn replicate(&self, master: usize) {
        let offset = |node: &RedisServer, of: &str| -> u64 {
            let info = node.cli(&["info", "replication"]);
            let found = info.lines().find_map(|line| line.strip_prefix(of));
            found
                .and_then(|offset| offset.trim().parse().ok())
                .unwrap_or(0)
        };
        let acknowledged = offset(&self.nodes[master], "master_repl_offset:");
        let replica = &self.nodes[self.masters + master];
        until(|| offset(replica, "slave_repl_offset:") >= acknowledged);
    }

    /// Waits until the replica of a master has taken over from it, and all nodes know.
    pub fn fail_over(&self, master: usize) {
        let replica = &self.nodes[self.masters + master];
        until(|| replica.cli(&["role"]).starts_with("master"));
        self.settle();
    }

    /// Waits until all nodes that are up agree that every slot is served.
    pub fn settle(&self) {
        let settled = |node: &RedisServer| {
            let info = node.cli(&["cluster", "info"]);
            let known = format!("cluster_known_nodes:{}\r", self.nodes.len());
            // A node that is down gives no reply.
            info.is_empty()
                || (info.contains("cluster_state:ok")
                    && info.contains("cluster_slots_ok:16384")
                    && info.contains(&known))
        };
        until(|| self.nodes.iter().all(settled));
        until(|| {
            let views: BTreeSet<_> = self.nodes.iter().filter_map(view).collect();
            views.len() == 1
        });
    }

    /// The addresses of all nodes, the initial masters first.
    pub fn urls(&self) -> Vec<String> {
        self.nodes.iter().map(RedisServer::url).collect()
    }

    /// A node by index: the initial masters come first.
    pub fn node(&self, index: usize) -> &RedisServer {
        &self.nodes[index]
    }

    /// The same, mutable, to kill or restart it.
    pub fn node_mut(&mut self, index: usize) -> &mut RedisServer {
        &mut self.nodes[index]
    }

    /// The initial number of masters.
    pub fn masters(&self) -> usize {
        self.masters
    }

    /// The initial slots of a master.
    pub fn slots(&self, master: usize) -> RangeInclusive<usize> {
        let share = SLOTS.div_ceil(self.masters);
        master * share..=SLOTS.min((master + 1) * share) - 1
    }

    /// The slot of `key`, from a node.
    pub fn slot(&self, key: &str) -> usize {
        let slot = self.nodes[0].cli(&["cluster", "keyslot", key]);
        slot.parse().expect("a slot")
    }

    /// The identifier of a node.
    pub fn id(&self, index: usize) -> String {
        id(&self.nodes[index])
    }

    /// Starts another node without slots and returns its index.
    pub fn join(&mut self) -> usize {
        self.nodes.extend(nodes(1, Vec::new));
        self.meet_last();
        self.nodes.len() - 1
    }

    fn meet_last(&self) {
        let Some((last, others)) = self.nodes.split_last() else {
            return;
        };
        let (port, bus) = (last.port().to_string(), bus(last));
        for other in others {
            other.cli(&["cluster", "meet", "127.0.0.1", &port, &bus]);
        }
        self.settle();
    }
}

fn nodes(count: usize, options: impl Fn() -> Vec<String>) -> Vec<RedisServer> {
    let start = |_| {
        let bus = port().to_string();
        let mut all = vec!["--cluster-enabled", "yes", "--cluster-port", &bus];
        all.extend(["--cluster-require-full-coverage", "no"]);
        all.extend(["--cluster-allow-replica-migration", "no"]);
        all.extend(["--repl-diskless-sync-delay", "0"]);
        let more = options();
        all.extend(more.iter().map(String::as_str));
        // It listens for clients first: if its bus port is taken, it ends after that.
        RedisServer::on(port(), &all).filter(|node| node.cli(&["ping"]) == "PONG")
    };
    // Another program may take the free port first.
    let node = |_| (0..20).find_map(start).expect("a node to start");
    (0..count).map(node).collect()
}

/// A free port below the ephemeral range: an outgoing connection could otherwise take
/// the port of a node that is down and restarts later.
fn port() -> u16 {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let candidate = || {
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let number = std::process::id().wrapping_mul(617).wrapping_add(count);
        (20_000 + number % 12_000) as u16
    };
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    std::iter::repeat_with(candidate)
        .find(free)
        .expect("a free port")
}

fn id(node: &RedisServer) -> String {
    node.cli(&["cluster", "myid"])
}

fn bus(node: &RedisServer) -> String {
    let port = node.cli(&["config", "get", "cluster-port"]);
    port.lines().last().expect("its bus port").into()
}

/// The owner of each slot in the view of a node; `None` if it is down.
fn view(node: &RedisServer) -> Option<Vec<(String, String)>> {
    let nodes = node.cli(&["cluster", "nodes"]);
    let mut view: Vec<_> = nodes.lines().filter_map(master).collect();
    view.sort();
    (!view.is_empty()).then_some(view)
}

/// The master in a line of CLUSTER NODES and its slots, if it has any.
fn master(line: &str) -> Option<(String, String)> {
    let fields: Vec<_> = line.split(' ').collect();
    let slots = fields.get(8..)?.join(" ");
    Some((fields[0].into(), slots))
}

fn until(mut condition: impl FnMut() -> bool) {
    while !condition() {
        thread::yield_now();
    }
}
