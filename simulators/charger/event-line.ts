import type { ProgramEvent } from "./index.ts";

/** An event as a line for people; nothing for what comes every second. */
export function eventLine(event: ProgramEvent): string | undefined {
  const text = textOf(event);
  return text === undefined ? undefined : `${event.charger}: ${text}`;
}

function textOf(event: ProgramEvent): string | undefined {
  switch (event.event) {
    case "connected":
      return "connected";
    case "disconnected":
      return `disconnected ${event.reason}`.trimEnd();
    case "dialFailed":
      return `cannot connect: ${event.reason}`;
    case "boot":
      return `boot ${event.status}`;
    case "profile": {
      const about = `profile ${event.id} (${event.purpose}, level ${event.stackLevel}, connector ${event.connectorId})`;
      return event.outcome === "accepted" ? `${about} accepted` : `${about} rejected: ${event.reason}`;
    }
    case "limit": {
      const setpoint = event.setpointKW === undefined ? "" : `, setpoint ${event.setpointKW} kW`;
      return `connector ${event.connectorId}: limit ${event.limitA} A on ${event.phases} phase(s)${setpoint}`;
    }
    case "power":
      return undefined;
    case "transactionStarted":
      return `connector ${event.connectorId}: transaction ${event.transactionId} started`;
    case "transactionStopped":
      return `connector ${event.connectorId}: transaction ${event.transactionId} stopped (${event.reason})`;
    case "violation":
      return `${event.by === "csms" ? "the CSMS" : "the charger"} broke the schema: ${event.text}`;
  }
}
