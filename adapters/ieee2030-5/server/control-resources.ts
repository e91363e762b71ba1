import { controlDocument } from "../controls/control-document.ts";
import { type ControlEvent, EVENT_ACTIVE } from "../controls/control-event.ts";
import type { PolledDevice } from "../polled-device.ts";
import type { OutElement } from "../xml/xml-write.ts";
import { found } from "./answer.ts";
import { listDocument, pageOf } from "./list-page.ts";
import type { DevicePaths } from "./paths.ts";
import type { Resource } from "./resource.ts";

/** The lists of a device's controls: all, and those in force. */
export function controlResources(device: PolledDevice, paths: DevicePaths): [string, Resource][] {
  const all = () => device.desk.controls();
  const active = () => device.desk.controls().filter((event) => event.status === EVENT_ACTIVE);
  return [
    [paths.controlList, controlList(device, paths, paths.controlList, all)],
    [paths.activeControlList, controlList(device, paths, paths.activeControlList, active)],
  ];
}

/** One control by its number. */
export function numberedControl(
  parent: string,
  id: number,
  device: PolledDevice,
  paths: DevicePaths,
): Resource | undefined {
  const event =
    parent === paths.controlList ? device.desk.controls().find((candidate) => candidate.id === id) : undefined;
  return event && { get: () => found(controlElement(event, device, paths), [event]) };
}

function controlList(
  device: PolledDevice,
  paths: DevicePaths,
  href: string,
  events: () => readonly ControlEvent[],
): Resource {
  return {
    get: (query) => {
      const { after } = query;
      const wanted = events().filter((event) => after === undefined || event.startS > after);
      const { all, page } = pageOf(wanted, query);
      const elements = page.map((event) => controlElement(event, device, paths));
      return found(listDocument("DERControlList", { href, subscribable: 1 }, all, elements), page);
    },
  };
}

function controlElement(event: ControlEvent, device: PolledDevice, paths: DevicePaths): OutElement {
  const href = `${paths.controlList}/${event.id}`;
  return controlDocument(event, { href, replyTo: paths.responses, ...device.writing });
}
