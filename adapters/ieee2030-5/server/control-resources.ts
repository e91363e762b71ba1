import { controlDocument } from "../controls/control-document.ts";
import { type ControlEvent, EVENT_ACTIVE } from "../controls/control-event.ts";
import type { PolledDevice } from "../polled-device.ts";
import type { OutElement } from "../xml/xml-write.ts";
import { found } from "./answer.ts";
import { listDocument, pageOf } from "./list-page.ts";
import type { DevicePaths } from "./paths.ts";
import { type Program, programsOf } from "./program.ts";
import type { Resource } from "./resource.ts";

/** The lists of a program's controls: all, and those in force. */
export function controlResources(device: PolledDevice, paths: DevicePaths, program: Program): [string, Resource][] {
  const { controlList, activeControlList } = program.paths;
  const all = () => program.controls();
  const active = () => program.controls().filter((event) => event.status === EVENT_ACTIVE);
  const shown = (event: ControlEvent) => controlElement(event, device, paths, program);
  return [
    [controlList, listOf(controlList, shown, all)],
    [activeControlList, listOf(activeControlList, shown, active)],
  ];
}

/** One control by its number. */
export function numberedControl(
  parent: string,
  id: number,
  device: PolledDevice,
  paths: DevicePaths,
): Resource | undefined {
  const program = programsOf(device, paths).find((one) => one.paths.controlList === parent);
  const event = program?.controls().find((candidate) => candidate.id === id);
  return program && event && { get: () => found(controlElement(event, device, paths, program), [event]) };
}

function listOf(
  href: string,
  shown: (event: ControlEvent) => OutElement,
  events: () => readonly ControlEvent[],
): Resource {
  return {
    get: (query) => {
      const { after } = query;
      const wanted = events().filter((event) => after === undefined || event.startS > after);
      const { all, page } = pageOf(wanted, query);
      return found(listDocument("DERControlList", { href, subscribable: 1 }, all, page.map(shown)), page);
    },
  };
}

function controlElement(event: ControlEvent, device: PolledDevice, paths: DevicePaths, program: Program): OutElement {
  const href = `${program.paths.controlList}/${event.id}`;
  return controlDocument(event, { href, replyTo: paths.responses, ...device.writing });
}
