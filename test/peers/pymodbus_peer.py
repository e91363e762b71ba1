"""A client and a server on pymodbus, for tests of what is spoken here.

  pymodbus_peer.py tcp|rtu-tcp HOST PORT UNIT COMMAND...   pymodbus_peer.py rtu PATH UNIT COMMAND...
  pymodbus_peer.py server PORT tcp|rtu

Commands and what they print are those of libmodbus-peer.c. The server has holding registers 0 to 1999 for units 1 and 2.
"""

import sys

from pymodbus import FramerType
from pymodbus.client import ModbusSerialClient, ModbusTcpClient
from pymodbus.server import StartTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice

REGISTERS = 2000


def told(answer, has_values):
    if answer.isError():
        return f"error {getattr(answer, 'exception_code', answer)}"
    return " ".join(str(value) for value in answer.registers) if has_values else "ok"


def ask(client, unit, words):
    if not client.connect():
        sys.exit("no connection")
    while words:
        command, address, number, *words = words
        address, number = int(address), int(number)
        if command == "read":
            print(told(client.read_holding_registers(address, count=number, device_id=unit), True))
        elif command == "input":
            print(told(client.read_input_registers(address, count=number, device_id=unit), True))
        elif command == "one":
            print(told(client.write_register(address, number, device_id=unit), False))
        elif command == "many":
            values = [int(word) for word in words[:number]]
            words = words[number:]
            print(told(client.write_registers(address, values, device_id=unit), False))
        else:
            sys.exit(f"no command {command}")
    client.close()


def serve(port, framing):
    values = [(7 * address + 3) % 65536 for address in range(REGISTERS)]
    devices = [
        SimDevice(id=unit, simdata=[SimData(0, values=values, datatype=DataType.REGISTERS)]) for unit in (1, 2)
    ]
    framer = FramerType.SOCKET if framing == "tcp" else FramerType.RTU
    print("starting", port, flush=True)
    StartTcpServer(devices, address=("127.0.0.1", port), framer=framer)


def main(argv):
    kind, *rest = argv
    if kind == "server":
        serve(int(rest[0]), rest[1])
    elif kind == "rtu":
        ask(ModbusSerialClient(rest[0], baudrate=9600, timeout=2), int(rest[1]), rest[2:])
    else:
        framer = FramerType.SOCKET if kind == "tcp" else FramerType.RTU
        ask(ModbusTcpClient(rest[0], port=int(rest[1]), framer=framer, timeout=2), int(rest[2]), rest[3:])


main(sys.argv[1:])
