"""Where the labels lie in the diagram: found by a search for few crossings and short lines, and kept, so that the graph
looks the same in every export. Every other row lies half a column to the right."""

COORDINATES = (
    ("", "Verification", "BankAccount", "GuideWallet"),
    ("SavedMessage", "Guide", "Feedback", "QualityMetrics", "WalletOrder", "Transaction"),
    ("Language", "Skill", "", "Consultation", "AgoraSession", "CustomerProfile", "CustomerWallet"),
    ("LoginActivity", "", "Notification", "", "Customer", "Lead", "Invoice"),
    ("", "OTPAttempt", "AuthUser", "OfferReservation", "MilestoneProgress", "UserBehavior", "Payment"),
    ("Device", "Session", "Role", "Offer", "OfferConsumption", "PromotionRule", "PaymentGateway"),
)
