package org.javisor.kvm;

import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * Skips what this host's KVM cannot do, with the reason. Some of the contract no KVM keeps; much
 * more of it fails only where guest kernels are emulated, and is tested on hardware.
 */
final class HostLimits implements ExecutionCondition {
    /** Test method to reason, on every host. */
    private static final Map<String, String> ALWAYS = new HashMap<>();

    /** Test method to reason, where the kernel's instruction emulator stands in for hardware. */
    private static final Map<String, String> EMULATED = new HashMap<>();

    private static void skip(Map<String, String> where, String reason, String... methods) {
        for (String method : methods) {
            where.put(method, reason);
        }
    }

    static {
        skip(
                ALWAYS,
                "the time-stamp counter is the host's and follows no fake clock",
                "timeStampCounter_followsTheMachinesClock",
                "timeStampCounter_canBeWritten_andItsAdjustmentFollows",
                "timeStampCounter_isItsOwnAgain_whenTheAdjustmentIsTakenBack",
                "timeStampCounter_goesOn_whenTheStateIsSetAgain");
        skip(
                ALWAYS,
                "the processor does not tell how many instructions it has executed",
                "statistics_countInstructions",
                "randomBytes_asAProgramThatGoesOnAfterEveryException");
        skip(
                ALWAYS,
                "KVM steps by the trap flag, which PUSHF and interrupt frames show",
                "state_canBeMovedBetweenAnyTwoInstructions",
                "state_canBeMovedInAnInterruptsHandler",
                "state_canBeMovedInRing3AndCompatibilityMode",
                "singleStep_entersTheHandlerOfAnException");
        skip(
                EMULATED,
                "no protected-mode paging but that of long mode",
                "threeLevels_translate_andKnowNoExecute",
                "pageDirectoryPointers_areLoadedWithCr3_andCheckedThen",
                "turningPagingOn_loadsThePageDirectoryPointers",
                "largePagesOfTwoLevels_haveReservedBits",
                "twoLevels_translateSmallAndLargePages");
        skip(
                EMULATED,
                "no gigabyte pages and no process-context identifiers",
                "largePages_translateAtTheirOwnGranularity",
                "translations_belongToTheirIdentifier_andSurviveALoadWithoutFlush",
                "processContextIdentifiers_needPagingAndAZeroIdentifierToBeTurnedOn");
        skip(
                EMULATED,
                "data breakpoints and watchpoints do not work",
                "debugging_worksInRing3",
                "writeBreakpoint_trapsAfterTheStore",
                "accessBreakpoint_trapsAfterALoad",
                "watchpoint_stopsAfterTheAccess",
                "watchpoint_stopsARepeatedInstruction_soonAfterTheAccess",
                "watchpoint_seesReadsIfWanted_andImplicitAccesses",
                "trapFlag_stepsOverOneIterationOfARepeatedInstruction");
        skip(
                EMULATED,
                "locked instructions over two pages are not atomic",
                "lockedInstructions_areAtomic",
                "compareAndExchange_isAtomic");
        skip(
                EMULATED,
                "interrupt windows open late, at the next exit",
                "taskPriority_holdsInterruptsOff",
                "interrupts_waitUntilTheyAreEnabled_andTheInstructionAfterSti",
                "interrupts_nest",
                "nonMaskableInterrupts_areHeldUntilInterruptReturn",
                "longStringInstruction_letsInterruptsIn");
        skip(
                EMULATED,
                "ring 3 runs natively, with system calls and software interrupts of its own",
                "interruptReturn_entersRing3_andInterruptsComeBack",
                "interruptReturn_entersCompatibilityMode",
                "systemCall_savesAndMasks_andReturns",
                "systemCall_isUndefined_unlessEnabled",
                "fastSystemCall_entersAndLeaves",
                "fastSystemCall_isGeneralProtection_withoutASegment",
                "systemReturn_to32BitCode",
                "systemReturn_toANonCanonicalAddress_faultsInTheKernel",
                "timeStampCounter_canBeWithheld",
                "segmentBaseInstructions_areUndefined_unlessEnabled",
                "permissions_areThoseOfAllLevelsTogether",
                "stackInTheTaskState_mustBeCanonical",
                "jumpThroughACallGate_cannotChangeThePrivilege");
        skip(
                EMULATED,
                "the kernel's emulator deviates from the architecture",
                "callGate_isChecked",
                "callGate_entersRing0_andFarReturnLeavesIt",
                "callGate_copiesParameters_andFarReturnReleasesThem",
                "interruptReturn_checksItsFrame",
                "controlRegister0_refusesImpossibleCombinations",
                "controlRegister4_refusesReservedBits_andLeavingPae",
                "limitOfTheStack_isAStackFault",
                "realMode_shutsDown_withoutAnInterruptTable",
                "writeOverAPageBorder_changesNothing_whenTheSecondPageFaults",
                "pageFaultDuringAPageFault_isADoubleFault_ofAGeneralProtectionFaultNot",
                "benignExceptionWithoutAGate_isFollowedByAnother_tellingOfAnExternalEvent",
                "gates_areChecked",
                "conformingCode_isExecutedInTheCallersRing",
                "verification_tellsWhatCouldBeReadAndWritten",
                "loadTaskRegister_checksItsDescriptor",
                "randomDescriptors_andFarTransfers");
        skip(
                EMULATED,
                "two processors of this host take minutes for it",
                "fences_orderAStoreBeforeALoad",
                "storesAndLoads_keepTheirOrder",
                "sixteenByteCompareAndExchange_isAtomic",
                "randomPageTables",
                "randomBytes_asCodeOfOldModes",
                "randomBytes_asCode");
    }

    private static boolean emulated() {
        return KvmHost.obstacle().isEmpty() && !KernelSpeed.measure().hardware();
    }

    @Override
    public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
        if (context.getTestMethod().isEmpty()) {
            return ConditionEvaluationResult.enabled("asked for each method");
        }
        String method = context.getRequiredTestMethod().getName();
        Optional<String> limit = Optional.ofNullable(ALWAYS.get(method));
        if (limit.isEmpty() && EMULATED.containsKey(method) && Emulation.FOUND) {
            limit = Optional.of("emulating KVM: " + EMULATED.get(method));
        }
        return limit.map(ConditionEvaluationResult::disabled)
                .orElseGet(() -> ConditionEvaluationResult.enabled("the host can"));
    }

    /** Measured on first use. */
    private static final class Emulation {
        static final boolean FOUND = emulated();
    }
}
