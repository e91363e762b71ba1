/*
 * A client and a server on libmodbus, for tests of what is spoken here.
 *
 *   peer tcp HOST PORT UNIT COMMAND...      peer rtu PATH UNIT COMMAND...      peer server PORT
 *
 * Commands: read ADDRESS COUNT | input ADDRESS COUNT | one ADDRESS VALUE | many ADDRESS COUNT VALUE...
 * Each prints one line: the values, "ok", or "error" with what libmodbus says.
 * The server prints its port; holding register n holds 7 n + 3 and input register n 11 n + 1 until somebody writes.
 */
#include <errno.h>
#include <modbus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define REGISTERS 2000

static int fail(const char *what) {
  fprintf(stderr, "%s: %s\n", what, modbus_strerror(errno));
  return 1;
}

static void print_result(int count, const uint16_t *values) {
  if (count < 0) {
    printf("error %s\n", modbus_strerror(errno));
    return;
  }
  if (values == NULL) {
    printf("ok\n");
    return;
  }
  for (int i = 0; i < count; i++) printf(i == 0 ? "%u" : " %u", values[i]);
  printf("\n");
}

static int client(modbus_t *bus, int unit, char **word, char **end) {
  if (bus == NULL) return fail("context");
  modbus_set_slave(bus, unit);
  modbus_set_response_timeout(bus, 2, 0);
  if (modbus_connect(bus) != 0) return fail("connect");
  uint16_t values[256];
  while (word + 2 < end) {
    const char *command = word[0];
    int address = atoi(word[1]);
    int number = atoi(word[2]);
    word += 3;
    if (strcmp(command, "read") == 0) print_result(modbus_read_registers(bus, address, number, values), values);
    else if (strcmp(command, "input") == 0) print_result(modbus_read_input_registers(bus, address, number, values), values);
    else if (strcmp(command, "one") == 0) print_result(modbus_write_register(bus, address, (uint16_t)number), NULL);
    else if (strcmp(command, "many") == 0) {
      for (int i = 0; i < number && word < end; i++) values[i] = (uint16_t)atoi(*word++);
      print_result(modbus_write_registers(bus, address, number, values), NULL);
    } else return 2;
  }
  modbus_close(bus);
  modbus_free(bus);
  return 0;
}

static int server(int port) {
  modbus_t *bus = modbus_new_tcp("127.0.0.1", port);
  modbus_mapping_t *map = modbus_mapping_new(100, 100, REGISTERS, REGISTERS);
  if (bus == NULL || map == NULL) return fail("context");
  for (int i = 0; i < REGISTERS; i++) {
    map->tab_registers[i] = (uint16_t)(7 * i + 3);
    map->tab_input_registers[i] = (uint16_t)(11 * i + 1);
  }
  int listening = modbus_tcp_listen(bus, 1);
  if (listening < 0) return fail("listen");
  printf("listening %d\n", port);
  fflush(stdout);
  for (;;) {
    if (modbus_tcp_accept(bus, &listening) < 0) return fail("accept");
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    for (;;) {
      int length = modbus_receive(bus, query);
      if (length < 0) break;
      if (length > 0) modbus_reply(bus, query, length, map);
    }
    modbus_close(bus);
  }
}

int main(int argc, char **argv) {
  if (argc == 3 && strcmp(argv[1], "server") == 0) return server(atoi(argv[2]));
  if (argc > 5 && strcmp(argv[1], "tcp") == 0)
    return client(modbus_new_tcp(argv[2], atoi(argv[3])), atoi(argv[4]), argv + 5, argv + argc);
  if (argc > 4 && strcmp(argv[1], "rtu") == 0)
    return client(modbus_new_rtu(argv[2], 9600, 'N', 8, 1), atoi(argv[3]), argv + 4, argv + argc);
  fprintf(stderr, "usage: see the top of the source\n");
  return 2;
}
