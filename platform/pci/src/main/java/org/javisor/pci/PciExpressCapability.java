package org.javisor.pci;

/**
 * The PCI Express capability of a root complex integrated endpoint (PCI Express Base Specification
 * 5.0, 7.5.3): no link, payloads of 128 bytes, function-level reset.
 */
final class PciExpressCapability implements ConfigurationRegisters.Behaviour {
    private static final int LENGTH = 0x3c;

    private static final int CAPABILITIES = 2;
    private static final int VERSION = 2;
    private static final int INTEGRATED_ENDPOINT = 9 << 4;

    private static final int DEVICE_CAPABILITIES = 4;
    private static final int ROLE_BASED_ERRORS = 1 << 15;
    private static final int CAN_RESET = 1 << 28;

    /** Errors to report, relaxed ordering, no snoop, read request size; payloads cannot grow. */
    private static final int DEVICE_CONTROL = 8;

    private static final int DEVICE_CONTROL_WRITABLE = 0x781f;
    private static final int READ_REQUEST_512 = 2 << 12;
    private static final int RESET_BYTE = DEVICE_CONTROL + 1;
    private static final int RESET = 1 << 7;

    private final Runnable functionReset;
    private boolean resetAsked;

    private PciExpressCapability(Runnable functionReset) {
        this.functionReset = functionReset;
    }

    /**
     * @param functionReset what the guest can ask for
     */
    static PciCapability create(Runnable functionReset) {
        ConfigurationRegisters registers =
                ConfigurationRegisters.builder(LENGTH)
                        .value(CAPABILITIES, 2, VERSION | INTEGRATED_ENDPOINT)
                        .value(DEVICE_CAPABILITIES, 4, ROLE_BASED_ERRORS | CAN_RESET)
                        .value(DEVICE_CONTROL, 2, READ_REQUEST_512)
                        .writable(DEVICE_CONTROL, 2, DEVICE_CONTROL_WRITABLE)
                        .build(new PciExpressCapability(functionReset));
        return new PciCapability(PciCapability.PCI_EXPRESS, registers);
    }

    @Override
    public int filter(ConfigurationRegisters.View view, int offset, int size, int value) {
        int shift = 8 * (RESET_BYTE - offset);
        resetAsked =
                offset <= RESET_BYTE
                        && RESET_BYTE < offset + size
                        && (value >>> shift & RESET) != 0;
        return value;
    }

    @Override
    public void afterWrite(ConfigurationRegisters.View view, int offset, int size) {
        if (resetAsked) {
            resetAsked = false;
            functionReset.run();
        }
    }
}
