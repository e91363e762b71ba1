/** What happens in the market, for a log or a screen. Powers in kW, export positive. */
export type MarketEvent =
  | { readonly kind: "bid"; readonly era: string; readonly transactionId: string; readonly points: number }
  | {
      readonly kind: "cleared";
      readonly pricePerKWh: number;
      /** All that is given, which is all that is taken. */
      readonly quantityKW: number;
      readonly gridKW: number;
      readonly houseKW: number;
      readonly participants: number;
    }
  | {
      /** After the time to confirm: what is left without those who did not. All powers together are zero. */
      readonly kind: "settled";
      readonly pricePerKWh: number;
      readonly quantityKW: number;
      readonly gridKW: number;
      readonly houseKW: number;
      readonly setpointsKW: Readonly<Record<string, number>>;
    }
  | {
      readonly kind: "confirmed";
      readonly era: string;
      readonly setpointKW: number;
      readonly pricePerKWh: number;
      readonly over: "http" | "mqtt";
    }
  | {
      readonly kind: "answered";
      readonly era: string;
      readonly action: string;
      readonly ack: boolean;
      readonly detail?: string;
    }
  | { readonly kind: "undelivered"; readonly era: string; readonly action: string; readonly reason: string }
  | { readonly kind: "left-out"; readonly era: string; readonly setpointKW: number }
  | { readonly kind: "verdict"; readonly era: string; readonly verdict: string }
  | { readonly kind: "telemetry"; readonly era: string; readonly samples: number }
  | {
      readonly kind: "refused";
      readonly action: string;
      readonly code: string;
      readonly paths: string;
      readonly reason: string;
    };
