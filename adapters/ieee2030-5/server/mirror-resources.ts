import type { PolledDevice } from "../polled-device.ts";
import type { XmlElement } from "../xml/xml-element.ts";
import { type Answer, changed, created, failure, found } from "./answer.ts";
import { MIRROR_LIST } from "./paths.ts";
import { list, type Resource } from "./resource.ts";

/** The list of meters that a device mirrors. */
export function mirrorResources(device: PolledDevice): [string, Resource][] {
  return [[MIRROR_LIST, mirrorList(device)]];
}

/** One of them by its number. */
export function numberedMirror(parent: string, id: number, device: PolledDevice): Resource | undefined {
  return parent === MIRROR_LIST && device.mirrors.ids.includes(id) ? mirror(id, device) : undefined;
}

function mirrorList(device: PolledDevice): Resource {
  const items = () =>
    device.mirrors.ids
      .map((id) => device.mirrors.document(id, `${MIRROR_LIST}/${id}`, device.rates.postRateS))
      .filter((item) => item !== undefined);
  return {
    ...list(
      "MirrorUsagePointList",
      { href: MIRROR_LIST, pollRate: device.rates.pollRateS("MirrorUsagePointList") },
      items,
    ),
    post: (document) => {
      const refusal = takenFault(document, device);
      if (refusal !== undefined) return refusal;
      const { id, isNew, values } = device.mirrors.post(document);
      device.metered(values);
      const href = `${MIRROR_LIST}/${id}`;
      return isNew ? created(href) : changed(href);
    },
  };
}

function mirror(id: number, device: PolledDevice): Resource {
  const href = `${MIRROR_LIST}/${id}`;
  const take = (document: XmlElement, answer: Answer): Answer => {
    const refusal = takenFault(document, device);
    if (refusal !== undefined) return refusal;
    const values = device.mirrors.record(id, document);
    if (values === undefined) return failure(404, "no such usage point");
    device.metered(values);
    return answer;
  };
  return {
    get: () => {
      const document = device.mirrors.document(id, href, device.rates.postRateS);
      return document === undefined ? failure(404, "no such usage point") : found(document);
    },
    put: (document) => take(document, changed()),
    post: (document) => take(document, created(href)),
    remove: () => (device.mirrors.remove(id) ? changed() : failure(404, "no such usage point")),
  };
}

/** mRIDs are unique over all devices: with one of another's meter nobody could say whose a number is. */
function takenFault(document: XmlElement, device: PolledDevice): Answer | undefined {
  const taken = device.takenMeter(document);
  return taken === undefined ? undefined : failure(409, `mRID ${taken} is that of another device's meter`);
}
