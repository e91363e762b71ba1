import { canonicalLfdi, sfdiFromLfdi } from "../identity.ts";
import type { PolledDevice } from "../polled-device.ts";
import { BadDocument, hexOf, integerOf, type XmlElement } from "../xml/xml-element.ts";
import { type Answer, changed, created, failure } from "./answer.ts";
import { endDevice } from "./documents.ts";
import { type DevicePaths, EDEV_LIST } from "./paths.ts";
import { list, type Resource, single } from "./resource.ts";

/** Largest SFDI: 36 bits in decimal, and the check digit. */
const MOST_SFDI = 687_194_767_359;

/** The list that a device finds itself in; with registration in band only after it has put itself there. */
export function endDeviceListResource(device: PolledDevice, paths: DevicePaths): Resource {
  const attributes = { href: EDEV_LIST, pollRate: device.rates.pollRateS("EndDeviceList"), subscribable: 1 };
  return {
    ...list("EndDeviceList", attributes, () => (device.registration.isDone ? [endDevice(device, paths)] : [])),
    post: (document) => register(document, device, paths),
  };
}

export function endDeviceResource(device: PolledDevice, paths: DevicePaths): Resource {
  const own = single(() => endDevice(device, paths));
  if (!device.registration.isInBand) return own;
  return {
    ...own,
    remove: () => {
      device.registration.remove();
      return changed();
    },
  };
}

/** @throws BadDocument where it is no EndDevice, or its identifiers are no identifiers */
function register(document: XmlElement, device: PolledDevice, paths: DevicePaths): Answer {
  if (document.name !== "EndDevice") throw new BadDocument(`${document.name} where an EndDevice was expected`);
  const lfdi = hexOf(document, "lFDI", 40);
  const sfdi = integerOf(document, "sFDI", 0, MOST_SFDI);
  if (sfdi === undefined) throw new BadDocument("EndDevice has no sFDI");
  if (lfdi !== undefined && canonicalLfdi(lfdi) !== device.lfdi) {
    return failure(403, "lFDI is not that of the certificate");
  }
  if (sfdi !== sfdiFromLfdi(device.lfdi)) return failure(409, "sFDI does not belong to the certificate");
  if (device.registration.isDone) return { ...failure(409, "registered already"), location: paths.edev };
  device.registration.add();
  return created(paths.edev);
}
