import type { Log } from "../../src/log.ts";
import { BadDocument, childrenOf, integerOf, type XmlElement } from "../ieee2030-5/xml/xml-element.ts";
import type { EventSchedule } from "./event-schedule.ts";
import { linkOf, type PolledResource, type PolledResources } from "./polled-resources.ts";
import { type DefaultControl, readDefault, readEvent, type UtilityEvent } from "./utility-event.ts";

/** Weaker than anything that a server should say, for a program that says nothing. */
const WEAKEST_PRIMACY = 255;

/** What the programs of one EndDevice brought in one round. */
export interface ProgramsRead {
  /** Everything that can be subscribed. */
  readonly resources: readonly XmlElement[];
  /** False where a part has never been read: then nothing is concluded from what is missing. */
  readonly isWhole: boolean;
  readonly defaults: readonly DefaultControl[];
}

/** Follows the links from an EndDevice's assignments to its programs, and hands their events to the schedule. */
export async function readPrograms(
  endDevice: XmlElement,
  schedule: EventSchedule,
  context: {
    readonly resources: PolledResources;
    readonly inheritedS: number | undefined;
    readonly nowMs: () => number;
    readonly log: Log;
  },
  signal: AbortSignal,
): Promise<ProgramsRead> {
  const { resources, log } = context;
  const seen: XmlElement[] = [];
  const defaults: DefaultControl[] = [];
  const programs = new Set<string>();
  let isWhole = true;
  const followed = async (
    href: string | undefined,
    read: (href: string) => Promise<PolledResource | undefined>,
  ): Promise<PolledResource | undefined> => {
    if (href === undefined) return undefined;
    const resource = await read(href);
    if (resource === undefined) isWhole = false;
    else seen.push(resource.document);
    return resource;
  };

  const assignments = await followed(linkOf(endDevice, "FunctionSetAssignmentsListLink"), (href) =>
    resources.readList(href, signal, context.inheritedS),
  );
  for (const assignment of assignments ? childrenOf(assignments.document, "FunctionSetAssignments") : []) {
    const list = await followed(linkOf(assignment, "DERProgramListLink"), (href) =>
      resources.readList(href, signal, assignments?.pollRateS),
    );
    for (const program of list ? childrenOf(list.document, "DERProgram") : []) {
      const href = program.attributes.get("href") ?? linkOf(program, "DERControlListLink") ?? "";
      if (programs.has(href)) continue;
      programs.add(href);
      const primacy = integerOf(program, "primacy", 0, 255) ?? WEAKEST_PRIMACY;
      const fallback = await followed(linkOf(program, "DefaultDERControlLink"), (link) =>
        resources.read(link, signal, list?.pollRateS),
      );
      if (fallback !== undefined) defaults.push(readDefault(fallback.document, primacy));
      const controls = await followed(linkOf(program, "DERControlListLink"), (link) =>
        resources.readList(link, signal, list?.pollRateS),
      );
      if (controls?.isFresh)
        schedule.take(eventsOf(controls.document, { program: href, primacy }, log), context.nowMs());
    }
  }
  if (isWhole) {
    schedule.keepPrograms(programs);
    schedule.setDefaults(defaults);
  }
  return { resources: seen, isWhole, defaults };
}

/** An event that can't be read stands in nobody's way. */
function eventsOf(
  list: XmlElement,
  program: Pick<UtilityEvent, "program" | "primacy">,
  log: Log,
): readonly UtilityEvent[] {
  return childrenOf(list, "DERControl").flatMap((control) => {
    try {
      return [readEvent(control, program)];
    } catch (error) {
      if (!(error instanceof BadDocument)) throw error;
      log.warn("a DERControl of the utility can't be read", {
        href: control.attributes.get("href"),
        reason: error.message,
      });
      return [];
    }
  });
}
