import type { ControlMode } from "./control-modes.ts";
import { availabilityXml, capabilityXml, settingsXml, statusXml } from "./device-reports.ts";
import type { Site } from "./discovery.ts";
import type { Hardware } from "./hardware.ts";
import { meterReadingsXml, mirrorUsagePointXml } from "./metering.ts";
import { HttpFault, type SepClient } from "./sep-client.ts";

/** A document that no parser takes, for a device that talks nonsense. */
export const BROKEN_XML = '<?xml version="1.0"?><DERControlResponse xmlns="urn:nobody"><status>banana</sta';

export interface ReporterOptions {
  readonly client: SepClient;
  readonly lfdi: string;
  readonly hardware: Hardware;
  readonly modes: readonly ControlMode[];
  readonly talksNonsense: () => boolean;
}

/** What the device tells the server about itself. */
export class Reporter {
  readonly #options: ReporterOptions;

  constructor(options: ReporterOptions) {
    this.#options = options;
  }

  /**
   * Says what the device can do and announces its meter.
   * @returns where the readings go, if the server takes any
   */
  async introduce(site: Site, nowS: number, signal: AbortSignal): Promise<string | undefined> {
    const { client, hardware, modes, lfdi } = this.#options;
    for (const der of site.ders) {
      if (der.capability) await client.put(der.capability, capabilityXml(hardware, modes), signal);
      if (der.settings) await client.put(der.settings, settingsXml(hardware, modes, nowS), signal);
    }
    if (site.mirrors === undefined) return undefined;
    const meter = await client.post(site.mirrors, mirrorUsagePointXml(lfdi), signal);
    if (meter === undefined) throw new Error("the server did not say where the mirror usage point is");
    return meter;
  }

  /** Sends status, availability and readings as they are now. */
  async report(
    site: Site & { readonly meter?: string },
    now: { readonly nowS: number; readonly intervalS: number; readonly isControlled: boolean },
    signal: AbortSignal,
  ): Promise<void> {
    const { client, hardware, lfdi } = this.#options;
    const { nowS, intervalS, isControlled } = now;
    for (const { status, availability } of site.ders) {
      if (status) await this.#say(statusXml(hardware, isControlled, nowS), (xml) => client.put(status, xml, signal));
      if (availability)
        await this.#say(availabilityXml(hardware, nowS), (xml) => client.put(availability, xml, signal));
    }
    const { meter } = site;
    if (meter === undefined) return;
    for (const reading of meterReadingsXml(lfdi, hardware, nowS, intervalS)) {
      await this.#say(reading, (xml) => client.post(meter, xml, signal));
    }
  }

  async #say(xml: string, send: (xml: string) => Promise<unknown>): Promise<void> {
    if (!this.#options.talksNonsense()) {
      await send(xml);
      return;
    }
    // A device that talks nonsense learns nothing from being told so.
    await send(BROKEN_XML).catch((error: unknown) => {
      if (!(error instanceof HttpFault)) throw error;
    });
  }
}
