import { sfdiOf } from "../der/identity.ts";
import { canonicalHex } from "../der/values.ts";
import type { XmlElement } from "../der/xml-in.ts";

/** What a device tells about its DER: the last document of each kind, as it came. */
export type DerDocument = "dercap" | "derg" | "ders" | "dera";

/** A device that is registered. */
export interface EndDevice {
  /** Its place in the list and in its address. */
  readonly id: number;
  /** 40 hexadecimal digits, upper case. */
  readonly lfdi: string;
  readonly sfdi: string;
  /** Whose certificate may see it. */
  readonly owner: string;
  readonly deviceCategory?: string | undefined;
  readonly registeredAtS: number;
  readonly pin: number;
  connectionPointId?: string;
  readonly der: Map<DerDocument, XmlElement>;
  readonly logEvents: XmlElement[];
}

/** A Response as it came. */
export interface ReceivedResponse {
  readonly deviceId: number;
  /** As it is compared. */
  readonly subject: string;
  readonly status: number;
  readonly atS: number;
}

const MAX_RESPONSES = 5000;
const MAX_DEVICES = 100;

/** Who is registered, and what they said. */
export class DeviceBook {
  readonly devices: EndDevice[] = [];
  readonly responses: ReceivedResponse[] = [];

  /** @returns the device, or nothing if there are too many */
  register(device: {
    lfdi: string;
    owner: string;
    pin: number;
    atS: number;
    deviceCategory?: string | undefined;
  }): EndDevice | undefined {
    if (this.devices.length >= MAX_DEVICES) return undefined;
    const { lfdi, owner, pin, atS, deviceCategory } = device;
    const registered: EndDevice = {
      id: this.devices.length + 1,
      lfdi,
      sfdi: sfdiOf(lfdi),
      owner,
      pin,
      registeredAtS: atS,
      deviceCategory,
      der: new Map(),
      logEvents: [],
    };
    this.devices.push(registered);
    return registered;
  }

  find(lfdi: string): EndDevice | undefined {
    return this.devices.find((device) => canonicalHex(device.lfdi) === canonicalHex(lfdi));
  }

  visibleTo(client: string): EndDevice[] {
    return this.devices.filter(({ owner }) => owner === client);
  }

  addResponse(response: ReceivedResponse): void {
    this.responses.push(response);
    if (this.responses.length > MAX_RESPONSES) this.responses.shift();
  }
}
