"""Where the labels are in the diagram: found by a search for few crossings and short lines, and fixed, so that the
graph looks the same in every export. Every other row is shifted right by half a column."""

COORDINATES = (
    ("", "Verification", "BankAccount", "GuideWallet"),
    ("SavedMessage", "Guide", "Feedback", "QualityMetrics", "WalletOrder", "Transaction"),
    ("Language", "Skill", "", "Consultation", "AgoraSession", "CustomerProfile", "CustomerWallet"),
    ("LoginActivity", "", "Notification", "", "Customer", "Lead", "Invoice"),
    ("", "OTPAttempt", "AuthUser", "OfferReservation", "MilestoneProgress", "UserBehavior", "Payment"),
    ("Device", "Session", "Role", "Offer", "OfferConsumption", "PromotionRule", "PaymentGateway"),
)
