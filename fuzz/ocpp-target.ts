import { setTimeout as pause } from "node:timers/promises";
import { OCPP_VERSIONS } from "../adapters/ocpp/version.ts";
import { AskedProgram } from "../bench/asked-program.ts";
import { Crashed, FuzzCampaign, type FuzzSender } from "./campaign.ts";
import { chanceOf } from "./chance.ts";
import { FuzzCharger } from "./fuzz-charger.ts";
import type { FuzzTarget } from "./fuzz-target.ts";
import { type Input, mutate } from "./json-mutation.ts";
import { STATION_MESSAGES } from "./ocpp-messages.ts";
import type { Outcome } from "./outcome.ts";
import { shownText } from "./shown-text.ts";

const STATIONS = 300;

/** Frames of chargers, right and wrong, to the real adapter over real sockets. */
export const ocppTarget: FuzzTarget = {
  name: "ocpp",
  title: "frames of chargers, to the OCPP adapter over WebSocket",
  run: async (options) => {
    const flags = ["--expose-gc"];
    await using subject = await AskedProgram.start("fuzz/ocpp-subject.js", [String(STATIONS)], flags);
    await using control = await AskedProgram.start("bench/ocpp-server.js", ["floor"]);
    const stations = new Stations(await subject.ask<string>("url"), subject, options.seed);
    return await new FuzzCampaign(options, {
      name: ocppTarget.name,
      subject,
      control,
      sender: () => new ChargerSender(stations, options.seed),
      shown: (index) => shown(options.seed, index),
    }).run();
  },
};

/** Identities in turn: one that was cut off may have to wait for what it has sent. */
class Stations {
  readonly #url: string;
  readonly #subject: AskedProgram;
  readonly #seed: number;
  #station = 0;

  constructor(url: string, subject: AskedProgram, seed: number) {
    this.#url = url;
    this.#subject = subject;
    this.#seed = seed;
  }

  async dial(version: string): Promise<FuzzCharger> {
    for (let attempt = 0; attempt < STATIONS; attempt++) {
      if (!this.#subject.isRunning) throw new Crashed("gone");
      const identity = `FUZZ-${this.#station++ % STATIONS}`;
      const charger = await FuzzCharger.dial(`${this.#url}/${identity}`, version, this.#seed);
      if (charger !== undefined) return charger;
      await pause(5);
    }
    throw new Error("no station is let in any more");
  }
}

/** A connection for each version, and a new one as another station where one was closed. */
class ChargerSender implements FuzzSender {
  readonly #stations: Stations;
  readonly #seed: number;
  readonly #chargers = new Map<string, FuzzCharger>();

  constructor(stations: Stations, seed: number) {
    this.#stations = stations;
    this.#seed = seed;
  }

  async send(index: number, withinMs: number): Promise<Outcome> {
    const version = versionOf(index);
    const before = this.#chargers.get(version);
    const charger = before?.isOpen ? before : await this.#stations.dial(version);
    this.#chargers.set(version, charger);
    return await charger.send(index, inputOf(this.#seed, index), withinMs);
  }

  async close(): Promise<void> {
    await Promise.all([...this.#chargers.values()].map((charger) => charger.close()));
  }
}

/** The versions take turns. */
function versionOf(index: number): string {
  return OCPP_VERSIONS[index % OCPP_VERSIONS.length] ?? "ocpp1.6";
}

function inputOf(seed: number, index: number): Input {
  const chance = chanceOf(seed, index);
  return mutate(chance.pick(STATION_MESSAGES[versionOf(index)] ?? []), chance);
}

function shown(seed: number, index: number): string {
  const { bytes, isBinary } = inputOf(seed, index);
  return `${versionOf(index)}${isBinary ? " binary" : ""} ${shownText(bytes)}`;
}
