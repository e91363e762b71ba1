import { DER_DOCUMENTS, type DerDocument } from "../der-record.ts";
import type { PolledDevice } from "../polled-device.ts";
import { echo } from "../xml/xml-write.ts";
import { changed, created, failure, found } from "./answer.ts";
import type { DevicePaths } from "./paths.ts";
import { list, type Resource, single } from "./resource.ts";

/** What a device PUTs about itself. */
export function derResources(device: PolledDevice, paths: DevicePaths): [string, Resource][] {
  return (Object.keys(DER_DOCUMENTS) as DerDocument[]).map((kind) => {
    const href = `${paths.der}/${kind}`;
    return [href, derDocument(kind, device, href)];
  });
}

function derDocument(kind: DerDocument, device: PolledDevice, href: string): Resource {
  return {
    get: () => {
      const document = device.record.get(kind);
      return document === undefined ? failure(404, "not put yet") : found(echo(document, { href }));
    },
    put: (document) => {
      device.described(kind, document);
      return changed();
    },
  };
}

/** What a device notes about itself; `a` gives what is newer. */
export function logEventResources(device: PolledDevice, paths: DevicePaths): [string, Resource][] {
  const hrefOf = (id: number) => `${paths.logEvents}/${id}`;
  const { events } = device.logEvents;
  return [
    [
      paths.logEvents,
      {
        ...list("LogEventList", { href: paths.logEvents, pollRate: device.rates.pollRateS() }, ({ after }) =>
          events
            .filter(({ createdS }) => after === undefined || createdS > after)
            .map(({ id, document }) => echo(document, { href: hrefOf(id) })),
        ),
        post: (document) => created(hrefOf(device.logged(document))),
      },
    ],
    ...events.map(({ id, document }): [string, Resource] => [
      hrefOf(id),
      single(() => echo(document, { href: hrefOf(id) })),
    ]),
  ];
}
