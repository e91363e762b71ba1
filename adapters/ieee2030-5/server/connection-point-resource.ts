import type { PolledDevice } from "../polled-device.ts";
import { CSIPAUS_NAMESPACES, type CsipausVersion } from "../xml/csipaus.ts";
import type { XmlElement } from "../xml/xml-element.ts";
import { element, type OutElement, tag } from "../xml/xml-write.ts";
import { type Answer, changed, failure, found } from "./answer.ts";
import type { DevicePaths } from "./paths.ts";
import type { Resource } from "./resource.ts";

/** Which connection point the device is behind; only the device says it. None for a device of the standard alone. */
export function connectionPointResources(device: PolledDevice, paths: DevicePaths): [string, Resource][] {
  const { csipaus } = device;
  if (csipaus === "none") return [];
  const take = (document: XmlElement): Answer => {
    device.connectionPoint.put(document);
    return changed();
  };
  return [
    [
      paths.connectionPoint,
      {
        get: () => {
          const { id } = device.connectionPoint;
          return id === undefined ? failure(404, "not put yet") : found(connectionPoint(id, csipaus, paths));
        },
        put: take,
        // Some clients POST what CSIP-AUS has them PUT.
        post: take,
      },
    ],
  ];
}

function connectionPoint(id: string, csipaus: CsipausVersion, paths: DevicePaths): OutElement {
  return tag("csipaus:ConnectionPoint", { "xmlns:csipaus": CSIPAUS_NAMESPACES[csipaus], href: paths.connectionPoint }, [
    element("csipaus:connectionPointId", id),
  ]);
}
