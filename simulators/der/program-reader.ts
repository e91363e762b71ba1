import { readControl } from "./control.ts";
import { type ControlMode, type ControlModes, readModes, UnsupportedMode } from "./control-modes.ts";
import { hrefOf, pollRateS } from "./discovery.ts";
import type { ListedControl } from "./event-engine.ts";
import type { SepClient } from "./sep-client.ts";
import { required, wholeNumber } from "./values.ts";
import type { XmlElement } from "./xml-in.ts";

/** Everything that the server's programs say at one moment. */
export interface Programs {
  readonly listed: readonly ListedControl[];
  /** Addresses of the lists of controls. */
  readonly controlLists: readonly string[];
  /** What holds when no event does: the default of the strongest program that has one. */
  readonly fallback?: ControlModes;
  /** Why a default was left aside. */
  readonly complaints: readonly string[];
  /** Seconds until the next look, as the server wishes. */
  readonly pollS: number;
}

/** Sound clients keep the server's wish within bounds: a second, and two hours. */
const MIN_POLL_S = 1;
const MAX_POLL_S = 7200;

/** Reads the lists of programs with their controls and defaults. */
export async function readPrograms(
  client: SepClient,
  lists: readonly string[],
  supported: readonly ControlMode[],
  signal: AbortSignal,
): Promise<Programs> {
  const listed: ListedControl[] = [];
  const complaints: string[] = [];
  const controlLists: string[] = [];
  let fallback: { primacy: number; modes: ControlModes } | undefined;
  let pollS = MAX_POLL_S;
  for (const list of lists) {
    const { items: programs, attributes } = await client.getList(list, "DERProgramList", signal);
    pollS = Math.min(pollS, pollRateS(attributes));
    for (const program of programs) {
      const primacy = wholeNumber(required(program, "primacy"), 0, 255);
      const controls = hrefOf(program, "DERControlListLink");
      if (controls !== undefined) {
        controlLists.push(controls);
        listed.push(...(await readControls(client, controls, primacy, supported, signal)));
      }
      if (fallback !== undefined && fallback.primacy <= primacy) continue;
      const own = await readDefault(client, program, supported, signal);
      if (typeof own === "string") complaints.push(own);
      else if (own !== undefined) fallback = { primacy, modes: own };
    }
  }
  return {
    listed,
    complaints,
    controlLists,
    pollS: Math.max(pollS, MIN_POLL_S),
    ...(fallback !== undefined && { fallback: fallback.modes }),
  };
}

async function readControls(
  client: SepClient,
  href: string,
  primacy: number,
  supported: readonly ControlMode[],
  signal: AbortSignal,
): Promise<ListedControl[]> {
  const { items } = await client.getList(href, "DERControlList", signal);
  return items.map((item) => ({ primacy, control: readControl(item, supported) }));
}

/** The program's default, or why the device leaves it aside. */
async function readDefault(
  client: SepClient,
  program: XmlElement,
  supported: readonly ControlMode[],
  signal: AbortSignal,
): Promise<ControlModes | string | undefined> {
  const href = hrefOf(program, "DefaultDERControlLink");
  if (href === undefined) return undefined;
  const element = await client.get(href, "DefaultDERControl", signal);
  try {
    return readModes(required(element, "DERControlBase"), supported);
  } catch (error) {
    if (error instanceof UnsupportedMode) return `DefaultDERControl ${href}: ${error.message}`;
    throw error;
  }
}
