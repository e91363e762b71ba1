import type { HostFigure } from "../../kind.ts";
import type { Misconduct } from "../link/charger-link.ts";
import type { RefusalReason } from "./refusal.ts";

/** What was counted at the door since the start. */
export class DoorCounters {
  readonly #refusals = new Map<RefusalReason, number>();
  readonly #misconduct = new Map<Misconduct, number>();
  readonly #events = new Map<"charger" | "gateway", number>();

  refused(reason: RefusalReason): void {
    up(this.#refusals, reason);
  }

  misconduct(what: Misconduct): void {
    up(this.#misconduct, what);
  }

  securityEvent(source: "charger" | "gateway"): void {
    up(this.#events, source);
  }

  figures(connections: { readonly stations: number; readonly open: number }): readonly HostFigure[] {
    return [
      {
        name: "setpointd_ocpp_stations_connected",
        help: "Chargers that are connected",
        type: "gauge",
        samples: [{ labels: {}, value: connections.stations }],
      },
      {
        name: "setpointd_ocpp_connections",
        help: "Open connections to the OCPP ports, with those that nobody has been let in on",
        type: "gauge",
        samples: [{ labels: {}, value: connections.open }],
      },
      {
        name: "setpointd_ocpp_refused_total",
        help: "Connections that were turned away, by reason",
        type: "counter",
        samples: samplesOf(this.#refusals, "reason"),
      },
      {
        name: "setpointd_ocpp_misconduct_total",
        help: "Frames and links of chargers that were no good, by what was wrong",
        type: "counter",
        samples: samplesOf(this.#misconduct, "what"),
      },
      {
        name: "setpointd_ocpp_security_events_total",
        help: "Security events, by who told them",
        type: "counter",
        samples: samplesOf(this.#events, "source"),
      },
    ];
  }
}

function up<Key>(counts: Map<Key, number>, key: Key): void {
  counts.set(key, (counts.get(key) ?? 0) + 1);
}

function samplesOf(counts: ReadonlyMap<string, number>, label: string): HostFigure["samples"] {
  return [...counts].map(([key, value]) => ({ labels: { [label]: key }, value }));
}
