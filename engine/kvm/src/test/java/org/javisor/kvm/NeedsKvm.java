package org.javisor.kvm;

import java.lang.annotation.ElementType;
import java.lang.annotation.Retention;
import java.lang.annotation.RetentionPolicy;
import java.lang.annotation.Target;
import org.junit.jupiter.api.extension.ConditionEvaluationResult;
import org.junit.jupiter.api.extension.ExecutionCondition;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Skips tests, with the reason, where KVM cannot be used. */
@Target({ElementType.TYPE, ElementType.METHOD})
@Retention(RetentionPolicy.RUNTIME)
@ExtendWith(NeedsKvm.Condition.class)
@interface NeedsKvm {
    /** Looks at the host once for each test class. */
    final class Condition implements ExecutionCondition {
        @Override
        public ConditionEvaluationResult evaluateExecutionCondition(ExtensionContext context) {
            return KvmHost.obstacle()
                    .map(why -> ConditionEvaluationResult.disabled("KVM is " + why))
                    .orElseGet(() -> ConditionEvaluationResult.enabled("KVM is there"));
        }
    }
}
