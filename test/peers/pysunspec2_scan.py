"""Reads all SunSpec models of a device with pysunspec2 and prints them as JSON.

  pysunspec2_scan.py HOST PORT UNIT

One object a model: its id, its length, and the scaled value of each point by its name; points
of a group that repeats are named as 1.DCW, those of a group that does not as PFWInj.PF.
"""

import json
import sys

import sunspec2.modbus.client as client


def values(group, prefix=""):
    found = {prefix + name: point.cvalue for name, point in group.points.items() if name not in ("ID", "L") or prefix}
    for name, inner in group.groups.items():
        if isinstance(inner, list):
            for place, each in enumerate(inner, 1):
                found.update(values(each, f"{prefix}{place}."))
        else:
            found.update(values(inner, f"{prefix}{name}."))
    return found


def main(host, port, unit):
    device = client.SunSpecModbusClientDeviceTCP(slave_id=int(unit), ipaddr=host, ipport=int(port), timeout=5)
    device.scan()
    # The models are kept by id and by name; the ids are enough.
    models = [
        {"id": model.model_id, "length": model.model_len, "points": values(model)}
        for key, several in device.models.items()
        if isinstance(key, int)
        for model in several
    ]
    print(json.dumps(models))
    device.close()


main(*sys.argv[1:])
