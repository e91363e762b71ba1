import { expect, test } from "vitest";
import { LogEvents } from "../../adapters/ieee2030-5/log-events.ts";
import { parseXml } from "../../adapters/ieee2030-5/xml/xml-parse.ts";

const LOG_EVENT = (
  more: string,
) => `<LogEvent xmlns="urn:ieee:std:2030.5:ns"><createdDateTime>1795476600</createdDateTime>
  ${more}<functionSet>11</functionSet><logEventCode>2</logEventCode><logEventID>1</logEventID>
  <logEventPEN>40732</logEventPEN><profileID>2</profileID></LogEvent>`;

const names = (events: LogEvents) => events.events[0]?.document.children.map(({ name }) => name);

test("a log event is kept with its values, and without what a device puts beside them", () => {
  const events = new LogEvents();
  events.add(parseXml(Buffer.from(LOG_EVENT("<details>hot</details>"))));
  expect(names(events)).toEqual([
    "createdDateTime",
    "details",
    "functionSet",
    "logEventCode",
    "logEventID",
    "logEventPEN",
    "profileID",
  ]);
  events.add(parseXml(Buffer.from(LOG_EVENT(`<filler>${"x".repeat(100_000)}</filler><nested><a/><b/></nested>`))));
  expect(names(events)).toEqual([
    "createdDateTime",
    "functionSet",
    "logEventCode",
    "logEventID",
    "logEventPEN",
    "profileID",
  ]);
});
