import { z } from "zod";
import { DeviceError } from "../../../src/model/adapter.ts";
import { type AdapterOperation, OperationError } from "../../kind.ts";
import type { OcppConnector } from "../connector.ts";
import type { SessionRecord } from "./session-record.ts";

/** What a technician may ask about sessions. A name is the device's, or the charger's identity where it has one connector. */
export function sessionOperations(
  connectors: () => readonly OcppConnector[],
): Readonly<Record<string, AdapterOperation>> {
  const at = (name: string) => connectorNamed(connectors(), name);
  return {
    sessions: async (input) => {
      const { name } = parsed(z.object({ name: z.string().optional() }), input);
      const asked = name === undefined ? connectors() : [at(name)];
      return { sessions: asked.flatMap((connector) => connector.sessionRecords.map(shown(connector))) };
    },
    start: async (input, signal) => {
      const { name, token } = parsed(
        z.object({ name: z.string(), token: z.string().min(1).max(36).optional() }),
        input,
      );
      return done(() => at(name).sessions.start(token === undefined ? {} : { token }, signal));
    },
    stop: async (input, signal) => {
      const { name } = parsed(z.object({ name: z.string() }), input);
      const { sessions } = at(name);
      const sessionId = sessions.running;
      await done(() => sessions.stop(sessionId, signal));
      return { sessionId };
    },
    reserve: async (input, signal) => {
      const { name, token, untilMs } = parsed(
        z.object({ name: z.string(), token: z.string().min(1).max(36).optional(), untilMs: z.number() }),
        input,
      );
      return done(() => at(name).sessions.reserve({ untilMs, ...(token === undefined ? {} : { token }) }, signal));
    },
    unreserve: async (input, signal) => {
      const { name } = parsed(z.object({ name: z.string() }), input);
      const { sessions } = at(name);
      const { reservation } = sessions;
      if (reservation === undefined) throw new OperationError("not-found", `${name} is not reserved`);
      await done(() => sessions.cancelReservation(reservation.reservationId, signal));
      return reservation;
    },
  };
}

function connectorNamed(connectors: readonly OcppConnector[], name: string): OcppConnector {
  const byEra = connectors.find((connector) => connector.era === name);
  const byIdentity = connectors.filter((connector) => connector.charger === name);
  const found = byEra ?? (byIdentity.length === 1 ? byIdentity[0] : undefined);
  if (found !== undefined) return found;
  const names = byIdentity.map((connector) => connector.era).join(", ");
  throw new OperationError(
    "not-found",
    names === "" ? `there is no charger "${name}"` : `${name} has several connectors: ${names}`,
  );
}

/** A record without what only serves to know a repeat. */
function shown(connector: OcppConnector) {
  return ({ startKey: _, startedAtMs, endedAtMs, ...record }: SessionRecord) => ({
    era: connector.era,
    charger: connector.charger,
    ...record,
    isOver: record.isOver === true,
    ...(startedAtMs === undefined ? {} : { startedAt: new Date(startedAtMs).toISOString() }),
    ...(endedAtMs === undefined ? {} : { endedAt: new Date(endedAtMs).toISOString() }),
  });
}

function parsed<T>(schema: z.ZodType<T>, input: unknown): T {
  const result = schema.safeParse(input);
  if (!result.success) throw new OperationError("invalid", z.prettifyError(result.error));
  return result.data;
}

/** What the charger did not do is told to the person who asked, and is no fault of ours. */
async function done<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof DeviceError) throw new OperationError("invalid", error.message);
    throw error;
  }
}
