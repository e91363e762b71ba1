/*
 * The floor of the Modbus figures, on libmodbus: a server that both clients read from, and the least that a client does.
 *
 *   modbus-floor server                            prints its port, then serves one connection after another
 *   modbus-floor client PORT REQUESTS REGISTERS    reads so often, one request at a time; prints milliseconds
 */
#include <errno.h>
#include <modbus.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

static int fail(const char *what)
{
    fprintf(stderr, "%s: %s\n", what, modbus_strerror(errno));
    return 1;
}

static int serve(void)
{
    modbus_t *context = modbus_new_tcp("127.0.0.1", 0);
    modbus_mapping_t *mapping = modbus_mapping_new(0, 0, 1000, 0);
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
    int listener;

    if (context == NULL || mapping == NULL) return fail("setup");
    for (int i = 0; i < 1000; i++) mapping->tab_registers[i] = (uint16_t)i;
    /* libmodbus takes port 0 for "any", which is what is wanted here. */
    listener = modbus_tcp_listen(context, 1);
    if (listener < 0) return fail("listen");
    if (getsockname(listener, (struct sockaddr *)&address, &size) < 0) return fail("getsockname");
    printf("%d\n", ntohs(address.sin_port));
    fflush(stdout);
    for (;;) {
        if (modbus_tcp_accept(context, &listener) < 0) return fail("accept");
        for (;;) {
            int length = modbus_receive(context, query);
            if (length < 0) break;
            if (length > 0 && modbus_reply(context, query, length, mapping) < 0) break;
        }
        modbus_close(context);
    }
}

static double now_ms(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000.0 + now.tv_nsec / 1e6;
}

static int read_often(int port, int requests, int registers)
{
    modbus_t *context = modbus_new_tcp("127.0.0.1", port);
    uint16_t values[MODBUS_MAX_READ_REGISTERS];
    double started;

    if (context == NULL) return fail("setup");
    if (modbus_connect(context) < 0) return fail("connect");
    started = now_ms();
    for (int i = 0; i < requests; i++) {
        if (modbus_read_registers(context, i % 100, registers, values) != registers) return fail("read");
        if (values[0] != i % 100) return fail("a wrong value");
    }
    printf("%f\n", now_ms() - started);
    modbus_close(context);
    modbus_free(context);
    return 0;
}

int main(int argc, char **argv)
{
    if (argc == 2 && strcmp(argv[1], "server") == 0) return serve();
    if (argc == 5 && strcmp(argv[1], "client") == 0) return read_often(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]));
    fprintf(stderr, "usage: modbus-floor server | client PORT REQUESTS REGISTERS\n");
    return 2;
}
