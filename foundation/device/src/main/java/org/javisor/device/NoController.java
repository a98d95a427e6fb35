package org.javisor.device;

/** What {@link LocalInterruptController#NONE} is: nothing comes in, no register answers. */
enum NoController implements LocalInterruptController {
    INSTANCE;

    @Override
    public boolean interruptPending() {
        return false;
    }

    @Override
    public int acknowledge() {
        return -1;
    }

    @Override
    public long cr8() {
        return 0;
    }

    @Override
    public void setCr8(long priority) {}

    @Override
    public boolean canReadMsr(int msr) {
        return false;
    }

    @Override
    public long readMsr(int msr) {
        return 0;
    }

    @Override
    public boolean writeMsr(int msr, long value) {
        return false;
    }

    @Override
    public long mmioBase() {
        return -1;
    }

    @Override
    public long readMmio(int offset, int size) {
        return 0;
    }

    @Override
    public void writeMmio(int offset, int size, long value) {}
}
