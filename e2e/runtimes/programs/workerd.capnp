using Workerd = import "/workerd/workerd.capnp";

const config :Workerd.Config = (
  services = [
    (name = "main", worker = (
      modules = [(name = "worker", esModule = embed "worker.bundle.mjs")],
      compatibilityDate = "2026-11-01",
      globalOutbound = "here",
    )),
    # The server of the story is on the same machine, which a worker may not reach by default.
    (name = "here", network = (allow = ["local", "private"])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:0", service = "main")],
);
