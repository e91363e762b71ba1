import { z } from "zod";
import type { CallHandler, ChargerControls } from "../dialect.ts";
import { present, timestamp } from "../link/wire-time.ts";
import type { OcppVersion } from "../ocpp-version.ts";
import { type DeviceVariable, deviceVariables } from "./device-variables.ts";

const Evse = z.object({ id: z.number(), connectorId: z.number().optional() });
const Named = z.object({ name: z.string(), instance: z.string().optional() });
const Address = z.object({
  attributeType: z.enum(["Actual", "Target", "MinSet", "MaxSet"]).optional(),
  component: Named.extend({ evse: Evse.optional() }),
  variable: Named,
});
const GetVariables = z.object({ getVariableData: z.array(Address) });
const SetVariables = z.object({ setVariableData: z.array(Address.extend({ attributeValue: z.string() })) });
const GetBaseReport = z.object({ requestId: z.number(), reportBase: z.string() });

/** GetVariables, SetVariables and GetBaseReport. */
export function deviceModelHandlers(version: OcppVersion, controls: ChargerControls): Record<string, CallHandler> {
  const variables = deviceVariables(version, controls);
  return {
    GetVariables: (payload) => ({
      getVariableResult: GetVariables.parse(payload).getVariableData.map((asked) => {
        const found = find(variables, asked);
        return typeof found === "string"
          ? { ...asked, attributeStatus: found }
          : { ...asked, attributeStatus: "Accepted", attributeValue: found.read() };
      }),
    }),
    SetVariables: (payload) => ({
      setVariableResult: SetVariables.parse(payload).setVariableData.map(({ attributeValue, ...asked }) => {
        const found = find(variables, asked);
        if (typeof found === "string") return { ...asked, attributeStatus: found };
        return { ...asked, attributeStatus: found.write?.(attributeValue) === true ? "Accepted" : "Rejected" };
      }),
    }),
    GetBaseReport: (payload) => {
      const { requestId, reportBase } = GetBaseReport.parse(payload);
      if (reportBase === "SummaryInventory") return { status: "NotSupported" };
      controls.afterwards("NotifyReport", {
        requestId,
        generatedAt: timestamp(controls.now()),
        seqNo: 0,
        tbc: false,
        reportData: variables.map(reportRow),
      });
      return { status: "Accepted" };
    },
  };
}

function find(
  variables: readonly DeviceVariable[],
  asked: z.infer<typeof Address>,
): DeviceVariable | "UnknownComponent" | "UnknownVariable" | "NotSupportedAttributeType" {
  const same = (a: string, b: string) => a.toLowerCase() === b.toLowerCase();
  const ofComponent = variables.filter(
    (row) => same(row.component, asked.component.name) && row.evseId === asked.component.evse?.id,
  );
  if (ofComponent.length === 0) return "UnknownComponent";
  const row = ofComponent.find((candidate) => same(candidate.variable, asked.variable.name));
  if (row === undefined || asked.variable.instance !== undefined) return "UnknownVariable";
  return asked.attributeType === undefined || asked.attributeType === "Actual" ? row : "NotSupportedAttributeType";
}

function reportRow(row: DeviceVariable): Record<string, unknown> {
  const connector = row.component === "Connector" ? { connectorId: 1 } : {};
  return {
    component: {
      name: row.component,
      ...(row.evseId === undefined ? {} : { evse: { id: row.evseId, ...connector } }),
    },
    variable: { name: row.variable },
    variableAttribute: [
      { type: "Actual", value: row.read(), mutability: row.write === undefined ? "ReadOnly" : "ReadWrite" },
    ],
    variableCharacteristics: {
      dataType: row.dataType,
      supportsMonitoring: false,
      ...present("unit", row.unit),
      ...present("maxLimit", row.maxLimit),
      ...present("valuesList", row.valuesList),
    },
  };
}
